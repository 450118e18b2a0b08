import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { SelfManagedBackend } from '../api/generated/types.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Aside } from '../pki/signer.ts';
import type { BackendDeps } from './backend-deps.ts';
import { selfManaged } from './self-managed.ts';

const NOW = new Date('2026-06-01T12:00:00.400Z');
const HOUR = 3_600_000;
const { signal } = new AbortController();

const atOnce: Aside = (work) => work();

function backend(clock: FakeClock, spec: Partial<SelfManagedBackend> = {}, aside = atOnce) {
  const full = {
    commonName: 'Demo',
    duration: '87600h',
    privateKey: { algorithm: 'ECDSA' },
    ...spec,
  } as SelfManagedBackend;
  const own = { name: 'ns/ca', clock, signing: () => undefined, trusted: () => [] };
  const deps = { ...own, state: { read: async () => undefined } } as unknown as BackendDeps;
  const { keyPair } = selfManaged.create(full, deps);
  return (newest: CaPair | undefined, version: number) => keyPair?.(newest, version, signal, aside) as Promise<CaPair>;
}

test('the root has its version in its name, and the duration of the spec', async () => {
  const { certificate, anchor } = await backend(new FakeClock(NOW))(undefined, 3);
  assert.is(certificate.subjectText, 'CN=Demo v3');
  assert.is(anchor, certificate);
  assert.equal(certificate.notBefore, new Date('2026-06-01T12:00:00Z'));
  assert.equal(certificate.notAfter, new Date(NOW.getTime() - 400 + 87_600 * HOUR));
});

test('a subject and a duration are taken over', async () => {
  const subject = { organizations: ['Example'], countries: ['DE'] };
  const { certificate } = await backend(new FakeClock(NOW), { subject, duration: '90m' })(undefined, 1);
  assert.equal(certificate.subject, { ...subject, commonName: 'Demo v1' });
  assert.is(certificate.notAfter.getTime() - certificate.notBefore.getTime(), 1.5 * HOUR);
});

test('the root has the key that was asked for', async () => {
  const kinds = [
    { algorithm: 'ECDSA', size: 256 },
    { algorithm: 'ECDSA', size: 384 },
    { algorithm: 'ECDSA', size: 521 },
    { algorithm: 'Ed25519' },
    { algorithm: 'RSA', size: 2048 },
  ] as const;
  for (const privateKey of kinds) {
    const pair = await backend(new FakeClock(NOW), { privateKey } as never)(undefined, 1);
    assert.equal(pair.certificate.keySpec, privateKey);
  }
});

test('a key that was made is kept until its root is stored, and no longer', async () => {
  const clock = new FakeClock(NOW);
  const ask = backend(clock, { duration: '3h' });
  const refused = await ask(undefined, 1);
  await clock.advance(60_000);
  const again = await ask(undefined, 2);
  assert.is(again.certificate.publicKeyPin, refused.certificate.publicKeyPin);
  assert.is(again.certificate.subjectText, 'CN=Demo v2');
  assert.equal(again.certificate.notBefore, new Date('2026-06-01T12:01:00Z'));
  await ask(again, 3);
  const anew = await ask(undefined, 3);
  assert.is.not(anew.certificate.publicKeyPin, again.certificate.publicKeyPin);
});

test('a successor never gets the key of the root that it follows', async () => {
  const clock = new FakeClock(NOW);
  const ask = backend(clock, { duration: '3h' });
  const first = await ask(undefined, 1);
  await clock.advance(2 * HOUR);
  assert.is.not((await ask(first, 2)).certificate.publicKeyPin, first.certificate.publicKeyPin);
});

test('an RSA key is waited for aside, others are made at once', async () => {
  for (const [privateKey, expected] of [
    [{ algorithm: 'RSA', size: 2048 }, 1],
    [{ algorithm: 'ECDSA', size: 256 }, 0],
  ] as const) {
    let waits = 0;
    const aside = <T>(work: () => Promise<T>) => {
      waits++;
      return work();
    };
    await backend(new FakeClock(NOW), { privateKey } as never, aside)(undefined, 1);
    assert.is(waits, expected, privateKey.algorithm);
  }
});

test('the newest root stays until two thirds of its life are over, then there is another with another key', async () => {
  const clock = new FakeClock(NOW);
  const ask = backend(clock, { duration: '3h' });
  const first = await ask(undefined, 1);
  assert.is(await ask(first, 2), first);
  const due = first.certificate.notBefore.getTime() + 2 * HOUR;
  await clock.advance(due - NOW.getTime() - 1);
  assert.is(await ask(first, 2), first);
  await clock.advance(1);
  const second = await ask(first, 2);
  assert.is(second.certificate.subjectText, 'CN=Demo v2');
  assert.is.not(second.certificate.publicKeyPin, first.certificate.publicKeyPin);
  assert.is(await ask(second, 3), second);
});

test.run();
