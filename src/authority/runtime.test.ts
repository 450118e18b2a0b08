import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { originOf } from './runtime.ts';

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

test.run();
