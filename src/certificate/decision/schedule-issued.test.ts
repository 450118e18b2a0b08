import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import { backdateMs, grantedLife, type Issuance, schedule, type Validity } from './schedule.ts';

// Every certificate here is issued at NOW; only the moment of the schedule differs.

const seconds = (least: number, most: number) =>
  fc.integer({ min: least / SECOND, max: most / SECOND }).map((each) => each * SECOND);
/** Of a certificate that is granted, how far it reaches back, and how long it lives from its issue on. */
const shape = fc.record({ backdatedMs: seconds(0, 30 * DAY), grantedMs: seconds(10 * SECOND, 400 * DAY) });
const wishes = fc.record({
  uid: fc.uuid(),
  durationMs: seconds(MINUTE, 400 * DAY),
  renewBefore: fc.oneof(
    fc.constant(undefined),
    seconds(5 * SECOND, 400 * DAY).map((ms) => ({ ms })),
    fc.integer({ min: 1, max: 99 }).map((percentage) => ({ percentage })),
  ),
});
const RUNS = { numRuns: 3_000 };
/** What a moment of issue may be later than the life that it begins. */
const NOTED_LATE = 5 * SECOND;

function granted(backdatedMs: number, grantedMs: number): Validity {
  return { serialNumber: '0a', notBefore: after(-backdatedMs), notAfter: after(grantedMs) };
}

const KNOWN: Issuance = { issuedAt: NOW, now: NOW };
const LATER: Issuance = { issuedAt: NOW, now: after(1_000 * DAY) };

test('asked for an hour and granted a day, it is renewed within the hour', () => {
  const { due, leftMs } = schedule(
    granted(30 * SECOND, DAY),
    { uid: 'u', durationMs: HOUR, renewBefore: undefined },
    KNOWN,
  );
  assert.ok(due > after(20 * MINUTE) && due <= after(31 * MINUTE), due.toISOString());
  assert.ok(leftMs >= 23 * HOUR, `${leftMs}`);
  const asked = { uid: 'u', durationMs: HOUR, renewBefore: { ms: 10 * MINUTE } };
  const { due: later } = schedule(granted(5 * MINUTE, 7 * DAY), asked, KNOWN);
  assert.ok(later > after(39 * MINUTE) && later <= after(50 * MINUTE), later.toISOString());
});

test('a life begins when it was issued, and is as long as asked for unless it was granted shorter', () => {
  fc.assert(
    fc.property(shape, wishes, ({ backdatedMs, grantedMs }, { durationMs }) => {
      const { startMs, lifeMs } = grantedLife(granted(backdatedMs, grantedMs), durationMs, LATER);
      const longestMs = Math.min(backdatedMs + grantedMs, durationMs);
      // Without a backdate of its own it is taken to have ours.
      const expectedMs = Math.max(NOW.getTime() - backdatedMs + backdateMs(longestMs), NOW.getTime());
      const isAsAsked = durationMs - grantedMs >= 0 && durationMs - grantedMs <= NOTED_LATE;
      const leastMs = isAsAsked ? NOW.getTime() - NOTED_LATE : expectedMs;
      assert.ok(startMs <= expectedMs && startMs >= leastMs, `${startMs} for ${expectedMs}`);
      const expectedLife = Math.min(after(grantedMs).getTime() - startMs, durationMs);
      assert.is(lifeMs, expectedLife);
      assert.ok(lifeMs <= durationMs && startMs + lifeMs <= after(grantedMs).getTime());
    }),
    RUNS,
  );
});

test('a certificate is never due later than it would be if it had been granted as asked for', () => {
  fc.assert(
    fc.property(shape, wishes, ({ backdatedMs, grantedMs }, wish) => {
      fc.pre(grantedMs >= wish.durationMs);
      const asAsked = schedule(granted(backdateMs(wish.durationMs), wish.durationMs), wish, LATER);
      const longer = schedule(granted(backdatedMs, grantedMs), wish, LATER);
      // A certificate without a backdate may begin by so much later.
      assert.ok(longer.due.getTime() <= asAsked.due.getTime() + backdateMs(wish.durationMs) + NOTED_LATE);
      assert.ok(longer.leftMs >= 0);
    }),
    RUNS,
  );
});

test('once it reaches back as far as ours, a backdate neither lengthens the life nor moves due', () => {
  fc.assert(
    fc.property(shape, seconds(0, 30 * DAY), wishes, ({ backdatedMs, grantedMs }, moreMs, wish) => {
      const least = backdatedMs + MINUTE;
      const one = schedule(granted(least, grantedMs), wish, LATER);
      assert.equal(schedule(granted(least + moreMs, grantedMs), wish, LATER), one);
    }),
    RUNS,
  );
});

test('a moment of issue that cannot be true counts as none', () => {
  const impossible = fc.oneof(
    // Before the certificate, after its end, or in the future.
    seconds(SECOND, 400 * DAY).map((ms) => ({ before: ms })),
    seconds(0, 400 * DAY).map((ms) => ({ behind: ms })),
    seconds(SECOND, 400 * DAY).map((ms) => ({ ahead: ms })),
  );
  fc.assert(
    fc.property(shape, impossible, wishes, ({ backdatedMs, grantedMs }, how, wish) => {
      const certificate = granted(backdatedMs, grantedMs);
      const now = 'ahead' in how ? NOW : after(1_000 * DAY);
      const issuedAt =
        'before' in how
          ? after(-how.before, certificate.notBefore)
          : 'behind' in how
            ? after(how.behind, certificate.notAfter)
            : after(how.ahead);
      const plain = schedule(certificate, wish, { issuedAt: undefined, now });
      assert.equal(schedule(certificate, wish, { issuedAt, now }), plain);
    }),
    RUNS,
  );
});

test('with any remembered moment of issue, due is in whole seconds, not before the floor, not after the end', () => {
  const moment = fc.integer({ min: -500 * DAY, max: 500 * DAY }).map((ms) => after(ms));
  fc.assert(
    fc.property(shape, moment, moment, wishes, ({ backdatedMs, grantedMs }, issuedAt, now, wish) => {
      const certificate = granted(backdatedMs, grantedMs);
      const issuance = { issuedAt, now };
      const { startMs, lifeMs } = grantedLife(certificate, wish.durationMs, issuance);
      const { due } = schedule(certificate, wish, issuance);
      const floorMs = startMs + Math.max(5 * SECOND, lifeMs / 10);
      assert.ok(lifeMs > 0 && lifeMs <= wish.durationMs && startMs >= certificate.notBefore.getTime());
      assert.is(due.getTime() % SECOND, 0);
      assert.ok(due.getTime() >= floorMs);
      // Only what is left of a life for less than five seconds has its floor behind its end.
      assert.ok(due.getTime() < Math.max(certificate.notAfter.getTime(), floorMs) + SECOND);
    }),
    RUNS,
  );
});

test('a life that was granted as requested is due at the same moment, however late its issue was recorded', () => {
  fc.assert(
    fc.property(wishes, fc.integer({ min: 0, max: 2_900 }), (wish, lateMs) => {
      const certificate = granted(backdateMs(wish.durationMs), wish.durationMs);
      const noted = { issuedAt: after(lateMs), now: after(lateMs) };
      assert.equal(schedule(certificate, wish, noted), schedule(certificate, wish, { issuedAt: undefined, now: NOW }));
    }),
    RUNS,
  );
});

test.run();
