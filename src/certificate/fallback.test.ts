/** A run of a certificate whose authority is in trouble, and that has a fallback. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, DAY, HOUR, MINUTE, SECOND } from '../../test/unit/builders.ts';
import { FallbackWorld, reserveCa } from '../../test/unit/fallback-world.ts';
import { ISSUED_BY_ANNOTATION } from '../api/names.ts';
import { DeniedError, RetryableError } from '../errors.ts';

const END = after(DAY);

/** A certificate of 24 hours that the authority issued at NOW; then the authority goes away. */
async function orphaned(): Promise<FallbackWorld> {
  const world = new FallbackWorld();
  await world.settle();
  world.set('own', true);
  return world;
}

async function at(world: FallbackWorld, moment: Date): Promise<void> {
  await world.clock.advance(moment.getTime() - world.clock.now().getTime());
  await world.settle();
}

/** The moment from which the fallback is used, as a run says it. */
async function turnOf(world: FallbackWorld): Promise<Date> {
  await at(world, after(13 * HOUR));
  const outcome = await world.run();
  if (outcome instanceof Error || outcome.do !== 'rest' || outcome.recheckAt === undefined)
    throw new Error('no moment');
  return outcome.recheckAt;
}

test('a due certificate waits for its authority until a third of the time from due to its end is left', async () => {
  const world = await orphaned();
  const { renewalTime = '' } = world.written;
  const dueMs = Date.parse(renewalTime);
  const turn = await turnOf(world);
  assert.ok(Math.abs(turn.getTime() - (END.getTime() - (END.getTime() - dueMs) / 3)) <= SECOND, turn.toISOString());
  assert.equal(world.signedBy, ['own']);
  assert.is(world.condition('Issuing'), 'True AuthorityNotReady');
  await at(world, turn);
  assert.equal(world.signedBy, ['own', 'reserve']);
});

test('what the fallback issues says so everywhere, and keeps the marks of its authority', async () => {
  const world = await orphaned();
  await at(world, await turnOf(world));
  const { annotations = {} } = world.store.object?.metadata ?? {};
  assert.is(annotations[ISSUED_BY_ANNOTATION], 'CertificateAuthority/reserve');
  assert.is(annotations['certwheel.io/authority'], 'CertificateAuthority/ca');
  assert.is(annotations['certwheel.io/authority-generation'], undefined);
  assert.is(world.written.issuedBy, 'CertificateAuthority/reserve');
  assert.is(world.condition('Ready'), 'True IssuedByFallback');
  assert.ok(world.journal.lines.includes('event IssuedByFallback'));
  assert.equal(world.counted, ['CertificateAuthority/team/ca CertificateAuthority/team/reserve']);
  const { certificate } = world.store.view() ?? {};
  assert.equal(certificate?.anchorFingerprints, [reserveCa.certificate.fingerprintSHA256]);
});

test('when the authority is back, the certificate is renewed from it when it is due, and not before', async () => {
  const world = await orphaned();
  await at(world, await turnOf(world));
  world.set('own', false);
  await world.settle();
  assert.equal(world.signedBy, ['own', 'reserve'], 'no stampede');
  await at(world, after(12 * HOUR + MINUTE, world.clock.now()));
  assert.equal(world.signedBy, ['own', 'reserve', 'own']);
  assert.is(world.written.issuedBy, undefined);
  assert.is(world.store.object?.metadata?.annotations?.[ISSUED_BY_ANNOTATION], undefined);
});

test('a certificate of the fallback is left alone after a restart, while the authority is still away', async () => {
  const world = await orphaned();
  await at(world, await turnOf(world));
  const { writes } = world.store;
  world.restart();
  world.awaySince.own = world.clock.now();
  await world.settle();
  assert.equal(world.signedBy, ['own', 'reserve']);
  assert.is(world.store.writes, writes);
});

test('a first issue comes from the fallback once the authority has been in trouble for a minute', async () => {
  const world = new FallbackWorld();
  world.set('own', true);
  const outcome = await world.run();
  assert.equal(outcome, { do: 'rest', recheckAt: after(MINUTE) });
  assert.equal(world.signedBy, []);
  await at(world, after(MINUTE));
  assert.equal(world.signedBy, ['reserve']);
});

test('an authority that is back within the minute issues the first certificate itself', async () => {
  const world = new FallbackWorld();
  world.set('own', true);
  await world.run();
  await world.clock.advance(30 * SECOND);
  world.set('own', false);
  await world.settle();
  assert.equal(world.signedBy, ['own']);
});

test('a first issue of a short life waits a tenth of that life', async () => {
  const world = new FallbackWorld(aCertificate({ duration: '1m' }).raw);
  world.set('own', true);
  assert.equal(await world.run(), { do: 'rest', recheckAt: after(6 * SECOND) });
});

test('a fallback that is away too is named, and the certificate waits for either', async () => {
  const world = await orphaned();
  world.set('reserve', true);
  const turn = await turnOf(world);
  await at(world, turn);
  assert.equal(world.signedBy, ['own']);
  const said = world.written.conditions?.find(({ type }) => type === 'Issuing')?.message ?? '';
  assert.match(
    said,
    /nor can the fallback CertificateAuthority\/reserve issue it: AuthorityNotReady: AuthorityUnreachable/,
  );
  world.set('reserve', false);
  await world.settle();
  assert.equal(world.signedBy, ['own', 'reserve']);
});

test('before its turn, what would keep the fallback from issuing is named, and nothing is promised', async () => {
  const world = new FallbackWorld();
  world.set('own', true);
  await world.run();
  const said = () => world.written.conditions?.find(({ type }) => type === 'Issuing')?.message ?? '';
  assert.match(said(), /on it comes from the fallback CertificateAuthority\/reserve$/);
  world.set('reserve', true);
  await world.run();
  assert.match(
    said(),
    /on it would come from the fallback CertificateAuthority\/reserve, which can't issue it now: AuthorityNotReady: /,
  );
  world.set('reserve', false);
  await world.run();
  assert.match(said(), /on it comes from the fallback CertificateAuthority\/reserve$/);
});

test('what the rules of the fallback deny is named and waits for the authority, which issues it as soon as it is back', async () => {
  const world = await orphaned();
  world.permission = { is: 'noOrganizations' };
  await at(world, await turnOf(world));
  assert.equal(world.signedBy, ['own']);
  const said = world.written.conditions?.find(({ type }) => type === 'Issuing')?.message ?? '';
  assert.match(said, /the fallback CertificateAuthority\/reserve issue it: DeniedByPolicy/);
  assert.is(world.condition('Stalled'), undefined);
  world.set('own', false);
  await world.settle();
  assert.equal(world.signedBy, ['own', 'own']);
});

test('a denial by the server of the fallback holds up the authority for seconds to minutes, not for an hour', async () => {
  const world = await orphaned();
  world.refusals.reserve = new DeniedError('RequestDenied', 'not you');
  const turn = await turnOf(world);
  await world.clock.advance(turn.getTime() - world.clock.now().getTime());
  await world.run();
  assert.match(world.written.lastFailure?.message ?? '', /^fallback CertificateAuthority\/reserve: not you$/);
  const nextMs = Date.parse(world.written.nextAttemptTime ?? '') - world.clock.now().getTime();
  assert.ok(nextMs > 0 && nextMs <= 5 * SECOND, `${nextMs} ms`);
});

test('without its own CA certificates at hand, nothing is written that would lack them in ca.crt', async () => {
  const world = await orphaned();
  const turn = await turnOf(world);
  const seen = world.seen.bind(world);
  const none = { pem: '', hash: 'none', anchors: new Map() };
  world.seen = () => {
    const found = seen();
    return found.with({ authority: { ...(found.authority as object), trust: none, ownTrust: none } as never });
  };
  await at(world, turn);
  assert.equal(world.signedBy, ['own']);
});

/** A certificate of an hour whose authority fails it once it is due, and asks for an hour of peace. */
async function turnedAway(which: 'own' | 'reserve'): Promise<FallbackWorld> {
  const world = new FallbackWorld(aCertificate({ duration: '1h' }).raw);
  await world.settle();
  world.set('own', which === 'reserve');
  world.refusals[which] = new RetryableError('RequestFailed', 'too many', { retryAfterMs: HOUR });
  await at(world, after(which === 'own' ? 45 * MINUTE : 55 * MINUTE));
  assert.equal(world.signedBy, ['own']);
  assert.is(world.written.lastFailure?.reason, 'RequestFailed');
  return world;
}

test('the pause that an authority asks for is none for its fallback', async () => {
  const world = await turnedAway('own');
  world.set('own', true);
  await at(world, after(58 * MINUTE));
  assert.equal(world.signedBy, ['own', 'reserve']);
});

test('the pause that a fallback asks for is none for the authority', async () => {
  const world = await turnedAway('reserve');
  world.set('own', false);
  await at(world, after(56 * MINUTE));
  assert.equal(world.signedBy, ['own', 'own']);
});

test('either is left alone for as long as it asks for itself', async () => {
  const own = await turnedAway('own');
  await at(own, after(59 * MINUTE));
  assert.equal(own.signedBy, ['own']);
  const reserve = await turnedAway('reserve');
  reserve.refusals.reserve = undefined;
  await at(reserve, after(59 * MINUTE));
  assert.equal(reserve.signedBy, ['own']);
});

test('a clock that is set back during an outage makes no first issue wait until it is where it was', async () => {
  const world = new FallbackWorld();
  world.set('own', true);
  await world.run();
  world.clock.jump(-DAY);
  const outcome = await world.run();
  assert.ok(!(outcome instanceof Error) && outcome.do === 'rest');
  assert.equal(outcome.recheckAt, after(MINUTE - DAY));
});

test.run();
