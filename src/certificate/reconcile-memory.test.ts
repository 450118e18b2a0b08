/** What a reconcile run keeps in memory for the next run, and what it must drop. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, KEY, refusal } from '../../test/unit/certificate-world.ts';
import { RetryableError } from '../errors.ts';

const LATER = { persistKey: true, remote: true };
const WAIT = { ticket: 'T', pollAfterMs: MINUTE, message: 'waiting for approval' };
const TIDY = ['leading', 'request forgotten', 'leading', 'next removed'];

test('an API server that does not answer for half a minute costs one signature and no status write', async () => {
  const world = new CertificateWorld();
  const away = Array.from({ length: 4 }, () => refusal(503));
  world.journal.refuse('Secret', ...away);
  const first = await world.run();
  assert.is(first instanceof RetryableError && first.code, 'ApiServerUnavailable');
  assert.is(world.journal.lines.includes('status'), false);
  await world.clock.advance(30_000);
  await world.settle();
  assert.is(world.ca.signed, 1);
  assert.is(world.condition('Ready'), 'True Issued');
});

test('a certificate that could not be published is not published an hour later', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', ...Array.from({ length: 4 }, () => refusal(503)));
  await world.run();
  await world.clock.advance(HOUR);
  await world.settle();
  assert.is(world.ca.signed, 2);
});

test('when a ClientCertificate is deleted, its memory is dropped and its pending request is removed', async () => {
  const world = new CertificateWorld(undefined, LATER);
  world.ca.answer = () => WAIT;
  await world.run();
  world.isGone = true;
  const { length } = world.journal.lines;
  assert.equal(await world.run(), { do: 'rest', recheckAt: undefined });
  assert.equal(world.journal.since(length), TIDY);
  assert.is(world.keys.object, undefined);
  assert.is(world.deps.recent.of(KEY), undefined);
  assert.is(world.deps.awaited.under(KEY), undefined);
});

test('a ClientCertificate that is missing in the cache alone keeps its pending request', async () => {
  const world = new CertificateWorld(undefined, LATER);
  world.ca.answer = () => WAIT;
  await world.run();
  world.deps = { ...world.deps, find: () => undefined };
  const { length } = world.journal.lines;
  await world.run();
  assert.equal(world.journal.since(length), []);
  assert.ok(world.keys.object);
});

test('a pending request is removed with its ClientCertificate also after a restart, or without its Secret NAME-next', async () => {
  for (const loses of ['memory', 'the Secret'] as const) {
    const world = new CertificateWorld(undefined, LATER);
    world.ca.answer = () => WAIT;
    await world.run();
    if (loses === 'memory') world.restart();
    else world.keys.object = undefined;
    world.isGone = true;
    const { length } = world.journal.lines;
    await world.run();
    assert.equal(world.journal.since(length), TIDY, loses);
  }
});

test('a pending request is removed when another ClientCertificate of its name is there at once, whatever is decided on that', async () => {
  const suspended = { ...(aCertificate().raw.spec as object), suspend: true };
  for (const loses of ['nothing', 'memory', 'the Secret'] as const)
    for (const decided of ['refused', 'unknown', 'suspended'] as const) {
      const world = new CertificateWorld(undefined, LATER);
      world.ca.answer = () => WAIT;
      await world.run();
      if (loses === 'memory') world.restart();
      if (loses === 'the Secret') world.keys.object = undefined;
      if (decided !== 'suspended') world.authority = decided === 'refused' ? 'NamespaceNotAllowed' : 'NamespaceNotSeen';
      world.edit({ metadata: { uid: 'another' }, ...(decided === 'suspended' && { spec: suspended }) });
      const { length } = world.journal.lines;
      await world.run();
      const lines = world.journal.since(length).filter((line) => TIDY.includes(line));
      assert.equal(lines, TIDY, `${loses}, ${decided}`);
      assert.is(world.keys.object, undefined);
    }
});

test('a certificate that could not be published is dropped when the next decision is not to issue', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', refusal(429));
  await world.run();
  world.authority = { ...world.ca.view, trouble: { code: 'CAExpired', message: 'it ended' } };
  await world.run();
  world.authority = world.ca.view;
  await world.settle();
  assert.is(world.ca.signed, 2);
});

test('a refused write is remembered although its status write is refused too: a dry run comes before the next signature', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', refusal(422));
  world.journal.refuse('status', refusal(422, 'clientcertificates'));
  await world.run();
  world.journal.refuse('rehearsal', refusal(422));
  const { length } = world.journal.lines;
  await world.run();
  assert.is(world.journal.since(length)[0], 'rehearsal refused');
  assert.is(world.ca.signed, 1);
});

test('a run with a cache that is older than the last renewal does not overwrite the renewed Secret', async () => {
  const world = new CertificateWorld();
  await world.settle();
  await world.clock.advance(DAY / 2);
  const { resource } = world;
  const secret = world.store.view();
  await world.run();
  const known = world.resource;
  const newer = structuredClone(world.store.object);
  Object.assign(world, { resource, cached: { secret } });
  assert.equal(await world.run(), { do: 'again' });
  assert.equal(world.store.object, newer);
  Object.assign(world, { resource: known, cached: undefined });
  const { length } = world.journal.lines;
  await world.run();
  assert.equal(world.journal.since(length), ['shown']);
});

test.run();
