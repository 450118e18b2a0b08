import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { guardedLookup } from '../../http/address.ts';
import { lookAt } from './http01-look.ts';

const addresses = { loopback: true };

test('names of certificates, whose name servers may never answer, keep no name of an authority waiting', async () => {
  const giveUp = new AbortController();
  const deps = { addresses, name: 'acme' };
  const looks = Array.from({ length: 100 }, (_, index) =>
    lookAt(`${index}.invalid`, 80, '/', deps, giveUp.signal).catch(() => undefined),
  );
  await new Promise((resolve) => setImmediate(resolve));
  const began = performance.now();
  const found = await new Promise((resolve) => {
    guardedLookup(addresses, 'system')('localhost', { all: true }, (error, list) => resolve(error ?? list));
  });
  const tookMs = performance.now() - began;
  giveUp.abort();
  await Promise.all(looks);
  assert.ok(Array.isArray(found), String(found));
  assert.ok(tookMs < 2_000, `${tookMs} ms`);
});

test.run();
