import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { elsewhere, SECRET } from '../../test/unit/authority-world.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import { createRuntime, originOf } from './runtime.ts';

const of = (backend: object, uid = 'uid', type = 'external') => originOf({ uid, type, backend } as never);

test('what is trusted and what people are told decides nothing about a request that was made', () => {
  const before = of({ signerName: 'x', trustBundle: { inline: 'one' }, instructions: 'mail it' });
  assert.is(of({ signerName: 'x', trustBundle: { inline: 'one, two' }, instructions: 'post it' }), before);
  assert.is(of({ signerName: 'x' }), before);
});

test('another authority, another kind or another place to ask is another origin', () => {
  const origins = [
    of({ issuer: 'x' }),
    of({ issuer: 'y' }),
    of({ issuer: 'x' }, 'other'),
    of({ issuer: 'x' }, 'uid', 'acme'),
  ];
  assert.is(new Set(origins).size, origins.length);
});

test('a CA that came with a certificate is followed before the authority is reconciled', () => {
  let woken = 0;
  const runtime = createRuntime(
    parseCertificateAuthority('CertificateAuthority', SECRET) as never,
    {
      definition: { capabilities: { remote: false } },
      connect: () => ({ backend: { issue: () => {} }, release: () => {} }),
      wake: () => {
        woken += 1;
      },
    } as never,
  );
  const ca = elsewhere.certificate;
  runtime.noticeCa([]);
  Object.assign(runtime, { view: { followedAnchors: new Set(['former']) } });
  runtime.noticeCa([ca]);
  assert.equal([...(runtime.view?.followedAnchors ?? [])], ['former', ca.fingerprintSHA256]);
  assert.is(woken, 1);
});

test.run();
