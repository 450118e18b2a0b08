/** Which certificates are re-issued after a change of the CA, in which order, and what stops that. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../test/unit/builders.ts';
import { consumer, ROTATED, rolledBack } from '../../test/unit/reissue-fleet.ts';
import type { Consumer } from './deps.ts';
import { type Former, formersOf, nextReleases, stopOf, withStop } from './reissue.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

const found = (consumers: readonly Consumer[], view = ROTATED, now = NOW) => formersOf(consumers, view, now);
const keysOf = (all: readonly Former[]) => all.map(({ key }) => key);
const stalled = {
  type: 'Stalled',
  status: 'True',
  reason: 'DeniedByPolicy',
  message: '',
  lastTransitionTime: '',
} as const;

test('a certificate of a former generation is to be re-issued, one of the generation that signs is not', () => {
  const all = [consumer('a'), consumer('b', { issuer: 'ca 2' }), consumer('c', { issuer: 'of others' })];
  assert.equal(found(all), [{ key: 'team/a', notAfter: after(DAY), failure: undefined }]);
  assert.equal(keysOf(found(all, rolledBack(NOW))), ['team/b'], 'after a roll-back it is the other way round');
});

test('a CA that was renewed with its key has no former certificates', () => {
  const generations = new Map([...ROTATED.generations].map(([id, each]) => [id, { ...each, signs: true }]));
  assert.equal(found([consumer('a')], { ...ROTATED, generations }), []);
});

test('nothing is to be re-issued while nothing signs', () => {
  assert.equal(found([consumer('a')], { ...ROTATED, signing: undefined }), []);
});

test('what is suspended, refused, being deleted or expired is neither re-issued nor counted as a failure', () => {
  const failed = { failedAt: after(SECOND) };
  const all = [
    consumer('suspended', failed, (each) => each.suspended()),
    consumer('refused', failed, (each) => each.withStatus({ conditions: [stalled] })),
    consumer('leaving', failed, (each) => each.with({ deletionTimestamp: NOW.toISOString(), finalizers: ['a/b'] })),
    consumer('expired', { ...failed, notAfter: NOW }),
    consumer('good', failed),
  ];
  assert.equal(keysOf(found(all)), ['team/good']);
});

test('a Secret that belongs to another ClientCertificate says nothing about this one', () => {
  const { resource } = consumer('a');
  const { secret } = consumer('b');
  assert.equal(found([{ resource, secret }]), []);
});

test('where the Secret is not in memory the status says which generation signed, and until when', () => {
  const byStatus = (authorityGeneration: number, notAfter: Date) => {
    const status = { authorityGeneration, notAfter: notAfter.toISOString() };
    return { resource: consumer('a', {}, (each) => each.withStatus(status)).resource, secret: undefined };
  };
  assert.equal(found([byStatus(1, after(HOUR))]), [{ key: 'team/a', notAfter: after(HOUR), failure: undefined }]);
  assert.equal(found([byStatus(2, after(HOUR))]), []);
  assert.equal(found([byStatus(3, after(HOUR))]), [], 'of a generation that is gone');
  assert.equal(found([byStatus(1, NOW)]), [], 'expired');
});

test('a failure counts from the moment on at which the new CA signs, by clocks that are a minute apart', () => {
  const failureAt = (at: Date) => found([consumer('a', { failedAt: at })])[0]?.failure;
  assert.is(failureAt(after(-MINUTE - SECOND)), undefined);
  assert.is(failureAt(after(-MINUTE)), 'Forbidden');
  assert.is(failureAt(NOW), 'Forbidden');
  assert.is(failureAt(after(MINUTE)), 'Forbidden');
});

const former = fc.record({
  number: fc.integer({ min: 0, max: 10_000 }),
  endS: fc.integer({ min: 1, max: 40 }),
  isFailing: fc.boolean(),
});
const formers = fc.uniqueArray(former, { selector: ({ number }) => number, maxLength: 60 }).map((all) =>
  all.map(
    ({ number, endS, isFailing }): Former => ({
      key: `team/${number}`,
      notAfter: after(endS * SECOND),
      failure: isFailing ? 'Forbidden' : undefined,
    }),
  ),
);

test('any fleet is released by expiry, then by key: as many as there are tokens, each once, and none while too many fail', () => {
  fc.assert(
    fc.property(formers, fc.nat({ max: 30 }), fc.integer({ min: 1, max: 20 }), fc.nat(), (all, tokens, max, salt) => {
      const released = new Set(all.filter((_each, index) => (index * 7 + salt) % 3 === 0).map(({ key }) => key));
      const before = structuredClone(all);
      const next = nextReleases(all, released, { maxFailures: max, tokens });
      assert.equal(all, before, 'the fleet is not reordered');
      const failing = all.filter(({ failure }) => failure !== undefined);
      assert.is(stopOf(all, max) !== undefined, failing.length >= max);
      if (failing.length >= max) return assert.equal(next, []);
      const left = all.filter(({ key }) => !released.has(key));
      assert.is(next.length, Math.min(tokens, left.length));
      const rank = ({ notAfter, key }: Former) => `${notAfter.toISOString()} ${key}`;
      const ranks = left.map(rank).sort();
      assert.equal(
        next.map((key) => rank(left.find((each) => each.key === key) as Former)),
        ranks.slice(0, next.length),
      );
    }),
    { seed, numRuns: 1_000 },
  );
});

const HELD = {
  hold: {
    reason: 'CertificatesInUse',
    message: 'its certificates are re-issued or have ended',
    until: after(HOUR),
    deadline: after(DAY),
    waitingFor: ['team/a', 'team/b', 'team/c'],
  },
  waitingFor: ['team/a', 'team/b', 'team/c'],
} as const;
const stop = stopOf(
  ['b', 'a'].map((name) => ({ key: `team/${name}`, notAfter: after(DAY), failure: 'Forbidden' })),
  2,
);

test('the plan names what fails with its reason, the limit, and what to do; its moments stay', () => {
  const { hold, waitingFor } = withStop(HELD, stop);
  assert.is(hold?.reason, 'ReissueStopped');
  assert.equal([hold?.until, hold?.deadline], [after(HOUR), after(DAY)]);
  assert.equal(waitingFor, ['team/a (Forbidden)', 'team/b (Forbidden)']);
  assert.match(hold?.message ?? '', '2 certificates fail, and spec.caRotation.reissue.maxFailures is 2');
  assert.match(hold?.message ?? '', 'kubectl describe ccert');
});

test('a step that waits for something else goes on saying so', () => {
  assert.is(withStop(HELD, undefined), HELD);
  const paused = { ...HELD, hold: { ...HELD.hold, reason: 'Paused' } } as const;
  assert.is(withStop(paused, stop), paused);
});

test.run();
