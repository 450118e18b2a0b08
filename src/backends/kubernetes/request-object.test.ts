import { createPublicKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { P256 } from '../../../test/pki/make.ts';
import { openssl } from '../../../test/pki/openssl.ts';
import { CSR_LABEL, makeCsr } from '../../pki/csr.ts';
import { generateKey, type PrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { parsePem, toPem } from '../../pki/pem.ts';
import { NO_NAMES } from '../../pki/san.ts';
import { asksTheSame, isCsrOf } from './request-object.ts';

const [own, foreign] = [await generateKey(P256), await generateKey(P256)];
const csrOf = (key: PrivateKey, commonName: string) =>
  makeCsr({ key, subject: { commonName }, names: NO_NAMES, usages: [] });
const csr = () => csrOf(own, 'orders');
const ours = csr();
const theirs = csrOf(foreign, 'admin');

const OURS = toPem(CSR_LABEL, ours);
const THEIRS = toPem(CSR_LABEL, theirs);

/** What a user who may write the object can put in place of the CSR, so that both stand in it. */
const BOTH: Readonly<Record<string, string>> = {
  'ours under another label, then theirs': toPem('FOO', ours) + THEIRS,
  'ours under the label of a certificate, then theirs': toPem('CERTIFICATE', ours) + THEIRS,
  'ours, then theirs': OURS + THEIRS,
  'ours, then theirs under the older label': OURS + toPem('NEW CERTIFICATE REQUEST', theirs),
  'theirs, then ours': THEIRS + OURS,
};

/** Whose request openssl reads, of which the SHA-256 in the condition would be. */
function readByOpenssl(pem: string): 'ours' | 'theirs' {
  const { ok, out, text } = openssl(['req', '-in', '{csr}', '-noout', '-pubkey'], { csr: pem });
  assert.ok(ok, text);
  const der = createPublicKey(out).export({ type: 'spki', format: 'der' });
  return der.equals(publicKeyDer(own)) ? 'ours' : 'theirs';
}

for (const [what, pem] of Object.entries(BOTH))
  test(`a text with two requests is no request of ours: ${what}`, () => {
    assert.not(isCsrOf(pem, { id: 'one', csr }));
    assert.not(
      asksTheSame(Buffer.from(pem).toString('base64'), { id: 'one', csr } as Parameters<typeof asksTheSame>[1]),
    );
  });

test('of some of them openssl reads the foreign one', () => {
  assert.ok(Object.values(BOTH).some((pem) => readByOpenssl(pem) === 'theirs' && parsePem(pem)[0]?.der.equals(ours)));
});

test('ours is ours with another signature, and in no other spelling', () => {
  assert.ok(isCsrOf(OURS, { id: 'one', csr }));
  assert.is(readByOpenssl(OURS), 'ours');
  assert.not(csr().equals(ours));
  for (const pem of ['', THEIRS, `${OURS}\n`, OURS.replaceAll('\n', '\r\n'), toPem('FOO', ours)])
    assert.not(isCsrOf(pem, { id: 'one', csr }));
});

test('a text that was recognised costs no other CSR at the next poll, and any other text is compared', () => {
  let made = 0;
  const request = {
    id: 'polled',
    csr: () => {
      made += 1;
      return csr();
    },
  };
  for (let poll = 0; poll < 5; poll++) assert.ok(isCsrOf(OURS, request));
  assert.is(made, 1);
  assert.not(isCsrOf(THEIRS, request));
  assert.not(isCsrOf(OURS, { id: 'another', csr: () => csrOf(own, 'another name') }));
  assert.ok(isCsrOf(OURS, request));
  assert.is(made, 2);
});

test.run();
