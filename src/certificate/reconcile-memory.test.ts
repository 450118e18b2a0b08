/** What a run leaves in memory for the next one, and what it must not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, KEY, refusal } from '../../test/unit/certificate-world.ts';
import { RetryableError } from '../errors.ts';

const LATER = { persistKey: true, remote: true };
const WAIT = { ticket: 'T', pollAfterMs: MINUTE, message: 'waiting for approval' };
const TIDY = ['leading', 'request forgotten', 'leading', 'next removed'];

test('an API server that is away for half a minute costs one certificate, and no status', async () => {
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

test('what was kept since it could not be published is not published once it is old', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', ...Array.from({ length: 4 }, () => refusal(503)));
  await world.run();
  await world.clock.advance(HOUR);
  await world.settle();
  assert.is(world.ca.signed, 2);
});

test('one that is gone: nothing of it stays in memory, and what it asked for is removed', async () => {
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

test('one that the cache has lost sight of keeps its request', async () => {
  const world = new CertificateWorld(undefined, LATER);
  world.ca.answer = () => WAIT;
  await world.run();
  world.deps = { ...world.deps, find: () => undefined };
  const { length } = world.journal.lines;
  await world.run();
  assert.equal(world.journal.since(length), []);
  assert.ok(world.keys.object);
});

test('one that is gone since a restart, or whose kept key was deleted, leaves no request either', async () => {
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

test('a certificate that could not be published is dropped as soon as none is to be issued', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', refusal(429));
  await world.run();
  world.authority = { ...world.ca.view, trouble: { code: 'CAExpired', message: 'it ended' } };
  await world.run();
  world.authority = world.ca.view;
  await world.settle();
  assert.is(world.ca.signed, 2);
});

test('a refusal is remembered though its status is refused too: the next write is rehearsed before anything is signed', async () => {
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

test('a cache that is behind by a renewal has nothing newer overwritten', async () => {
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
