import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, anObserved, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import {
  dueIn,
  grantedLife,
  identity,
  issued,
  latestOfMany,
  schedule,
  wholeSeconds,
  wish,
} from '../../../test/unit/scheduled.ts';
import { backdateMs, expectedIntervalMs, scheduleOf, schedule as scheduleWith, type Wish } from './schedule.ts';

const SPANS: Record<string, [lifeMs: number, renewBefore: Wish['renewBefore'], spanMs: number]> = {
  'the default is half of a day': [DAY, undefined, 12 * HOUR],
  'the default is half of an hour': [HOUR, undefined, 30 * MINUTE],
  'the default is half of seven days to the millisecond': [7 * DAY, undefined, 3.5 * DAY],
  'the default is two thirds of what is a second longer than seven days': [
    7 * DAY + SECOND,
    undefined,
    ((7 * DAY + SECOND) * 2) / 3,
  ],
  'the default is two thirds of 90 days': [90 * DAY, undefined, 60 * DAY],
  'renewBefore counts back from the end': [DAY, { ms: 2 * HOUR }, 22 * HOUR],
  'renewBefore of just under nine tenths is taken': [1000 * MINUTE, { ms: 900 * MINUTE - 1 }, 100 * MINUTE],
  'a percentage is what is left of the life': [10 * HOUR, { percentage: 30 }, 7 * HOUR],
  '89 percent are taken': [10 * HOUR, { percentage: 89 }, 1.1 * HOUR],
};

for (const [sentence, [lifeMs, renewBefore, spanMs]] of Object.entries(SPANS)) {
  test(sentence, () => {
    const certificate = issued(lifeMs);
    const latest = latestOfMany(certificate, { durationMs: lifeMs, renewBefore });
    assert.ok(latest <= spanMs + SECOND, `${latest} is later than ${spanMs}`);
    // 2000 draws come within 0.2 % of the longest span.
    assert.ok(latest >= spanMs * 0.998, `${latest} is far from ${spanMs}`);
    assert.is(schedule(certificate, wish(lifeMs, renewBefore)).renewBeforeIgnored, false);
  });
}

const LEADS: Record<string, [lifeMs: number, renewBefore: Wish['renewBefore'], spanMs: number]> = {
  '90 days are renewed at two thirds, which leaves more': [90 * DAY, undefined, 60 * DAY],
  '30 days are renewed so long before their end': [30 * DAY, undefined, 16 * DAY],
  '20 days are renewed at half': [20 * DAY, undefined, 10 * DAY],
  'a day is renewed at half': [DAY, undefined, 12 * HOUR],
  'renewBefore overrules it': [30 * DAY, { ms: DAY }, 29 * DAY],
};

for (const [sentence, [lifeMs, renewBefore, spanMs]] of Object.entries(LEADS))
  test(`of an authority that needs 14 days to answer, ${sentence}`, () => {
    const wished = { durationMs: lifeMs, renewBefore, leadMs: 14 * DAY };
    const latest = latestOfMany(issued(lifeMs), wished);
    assert.ok(latest <= spanMs + SECOND && latest >= spanMs * 0.998, `${latest} and ${spanMs}`);
    const interval = expectedIntervalMs(lifeMs, wished);
    assert.ok(interval <= spanMs && interval >= spanMs * 0.8, `${interval}`);
  });

const IGNORED: Record<string, [lifeMs: number, renewBefore: NonNullable<Wish['renewBefore']>]> = {
  'renewBefore of exactly nine tenths is ignored': [1000 * MINUTE, { ms: 900 * MINUTE }],
  'renewBefore of the whole life is ignored': [DAY, { ms: DAY }],
  'renewBefore of more than the granted life is ignored': [HOUR, { ms: 2 * HOUR }],
  '90 percent are ignored': [10 * HOUR, { percentage: 90 }],
  '99 percent are ignored': [10 * HOUR, { percentage: 99 }],
};

for (const [sentence, [lifeMs, renewBefore]] of Object.entries(IGNORED)) {
  test(`${sentence}, which is said, and the default used`, () => {
    const certificate = issued(lifeMs);
    const plain = schedule(certificate, wish(lifeMs));
    assert.equal(schedule(certificate, wish(lifeMs, renewBefore)), { ...plain, renewBeforeIgnored: true });
  });
}

test('90 percent are ignored for every life of whole seconds', () => {
  fc.assert(
    fc.property(wholeSeconds(MINUTE, 400 * DAY), (lifeMs) => {
      assert.ok(schedule(issued(lifeMs), wish(lifeMs, { percentage: 90 })).renewBeforeIgnored);
      assert.not(schedule(issued(lifeMs), wish(lifeMs, { percentage: 89 })).renewBeforeIgnored);
    }),
  );
});

test('a backdated notBefore neither lengthens the life nor moves due', () => {
  fc.assert(
    fc.property(wholeSeconds(MINUTE, 400 * DAY), wholeSeconds(0, 30 * DAY), (lifeMs, backdatedMs) => {
      assert.equal(schedule(issued(lifeMs, '0a', backdatedMs), wish(lifeMs)), schedule(issued(lifeMs), wish(lifeMs)));
    }),
  );
});

test('a backdated notBefore does not push a life of seven days over the boundary', () => {
  assert.ok(dueIn(schedule(issued(7 * DAY, '0a', MINUTE), wish(7 * DAY))) <= 3.5 * DAY);
});

test('a granted life that is shorter than asked for is the one that counts', () => {
  const short = schedule(issued(HOUR), wish(DAY));
  assert.equal(short, schedule(issued(HOUR), wish(HOUR)));
  assert.ok(dueIn(short) <= 30 * MINUTE);
});

test('renewBefore that suits the duration is ignored where the granted life is too short for it', () => {
  assert.ok(schedule(issued(HOUR), wish(DAY, { ms: 55 * MINUTE })).renewBeforeIgnored);
  assert.not(schedule(issued(DAY), wish(DAY, { ms: 55 * MINUTE })).renewBeforeIgnored);
});

test('a granted life that is longer than asked for counts back from its end where its issue is not known', () => {
  const { due } = schedule(issued(10 * DAY), wish(DAY));
  assert.ok(due >= after(9 * DAY) && due <= after(9.5 * DAY), due.toISOString());
  assert.equal(grantedLife(issued(10 * DAY), DAY), { startMs: after(9 * DAY).getTime(), lifeMs: DAY });
});

const anything = fc.record({
  lifeMs: wholeSeconds(0, 400 * DAY),
  durationMs: wholeSeconds(MINUTE, 400 * DAY),
  backdatedMs: wholeSeconds(0, HOUR),
  renewBefore: fc.oneof(
    fc.constant(undefined),
    wholeSeconds(5 * SECOND, 400 * DAY).map((ms) => ({ ms })),
    fc.integer({ min: 1, max: 99 }).map((percentage) => ({ percentage })),
  ),
  identity,
});

test('due is in whole seconds, not before the floor, not after the end, and the same in every reconcile', () => {
  fc.assert(
    fc.property(anything, ({ lifeMs, durationMs, backdatedMs, renewBefore, identity: { uid, serialNumber } }) => {
      const certificate = issued(lifeMs, serialNumber, backdatedMs);
      const wished = { uid, durationMs, renewBefore };
      const { due } = schedule(certificate, wished);
      const life = grantedLife(certificate, durationMs);
      const floorMs = life.startMs + Math.max(5 * SECOND, life.lifeMs / 10);
      assert.is(due.getTime() % SECOND, 0);
      assert.ok(due.getTime() >= floorMs, 'before the floor');
      // Only a life of less than five seconds has its floor behind its end.
      assert.ok(due.getTime() <= Math.max(certificate.notAfter.getTime(), floorMs), 'after the end');
      assert.equal(schedule(structuredClone(certificate), { ...wished }).due, due);
    }),
    { numRuns: 2000 },
  );
});

test('jitter brings due forward by a fifth of the span at most, and never back', () => {
  fc.assert(
    fc.property(anything, ({ lifeMs, durationMs, renewBefore, identity: { uid, serialNumber } }) => {
      const certificate = issued(lifeMs, serialNumber);
      const life = grantedLife(certificate, durationMs);
      const { due, renewBeforeIgnored } = schedule(certificate, { uid, durationMs, renewBefore });
      const asked =
        renewBefore === undefined || renewBeforeIgnored
          ? undefined
          : 'ms' in renewBefore
            ? renewBefore.ms
            : (life.lifeMs * renewBefore.percentage) / 100;
      const spanMs = asked === undefined ? life.lifeMs * (life.lifeMs <= 7 * DAY ? 0.5 : 2 / 3) : life.lifeMs - asked;
      const floorMs = Math.max(5 * SECOND, life.lifeMs / 10);
      const span = due.getTime() - life.startMs;
      assert.ok(span >= Math.max(spanMs * 0.8, floorMs), `${span} is too early for ${spanMs}`);
      assert.ok(span < Math.max(spanMs, floorMs) + SECOND, `${span} is too late for ${spanMs}`);
    }),
    { numRuns: 2000 },
  );
});

test('the jitter is another one for the next certificate', () => {
  const dues = new Set(['01', '02', '03', '04'].map((serial) => dueIn(schedule(issued(DAY, serial), wish(DAY)))));
  assert.is(dues.size, 4);
});

const FLOORS: Record<string, [lifeMs: number, renewBefore: Wish['renewBefore'], leastMs: number]> = {
  'of a minute, five seconds pass, which is less than a tenth': [MINUTE, { percentage: 89 }, 6 * SECOND],
  'of ten seconds, five pass': [10 * SECOND, undefined, 5 * SECOND],
  'of an hour, a tenth passes': [HOUR, { percentage: 89 }, 6 * MINUTE],
};

for (const [sentence, [lifeMs, renewBefore, leastMs]] of Object.entries(FLOORS)) {
  test(`before a renewal ${sentence}`, () => {
    for (let index = 0; index < 500; index++) {
      assert.ok(dueIn(schedule(issued(lifeMs), wish(lifeMs, renewBefore, `u${index}`))) >= leastMs);
    }
  });
}

test('our own certificates reach back a minute, or a tenth of a short life', () => {
  assert.is(backdateMs(DAY), MINUTE);
  assert.is(backdateMs(10 * MINUTE), MINUTE);
  assert.is(backdateMs(MINUTE), 6 * SECOND);
});

test('from one issuance to the next it takes as long as is expected, on the average', () => {
  const lives: [lifeMs: number, renewBefore: Wish['renewBefore']][] = [
    ...Object.values(SPANS).map(([lifeMs, renewBefore]): [number, Wish['renewBefore']] => [lifeMs, renewBefore]),
    [HOUR, { ms: 2 * HOUR }],
    // The earliest moment cuts into the jitter, or comes after all of it.
    [100 * MINUTE, { percentage: 89 }],
    [40 * SECOND, { percentage: 86 }],
    [20 * SECOND, { percentage: 80 }],
  ];
  for (const [lifeMs, renewBefore] of lives) {
    const dues = Array.from({ length: 5_000 }, (_, index) =>
      dueIn(schedule(issued(lifeMs), wish(lifeMs, renewBefore, `u${index}`))),
    );
    const mean = dues.reduce((sum, due) => sum + due, 0) / dues.length;
    const expected = expectedIntervalMs(lifeMs, { renewBefore });
    // Due times are whole seconds, rounded up.
    assert.ok(mean > expected * 0.995 && mean < expected * 1.005 + SECOND, `${mean} for ${expected}`);
  }
});

test('whatever the jitter, at least leftMs is left when a certificate is due', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: MINUTE, max: 400 * DAY }), (uid, lifeMs) => {
      const certificate = issued(lifeMs);
      const { due, leftMs } = schedule(certificate, { ...wish(lifeMs), uid });
      // Due times are whole seconds, rounded up.
      assert.ok(certificate.notAfter.getTime() - due.getTime() > leftMs - 1_000);
    }),
  );
});

test('a suggestion brings a renewal forward by half of the way at most, and never postpones it', () => {
  const life = wholeSeconds(MINUTE, 90 * DAY);
  const moment = fc.integer({ min: -400 * DAY, max: 400 * DAY });
  fc.assert(
    fc.property(life, identity, moment, (lifeMs, { uid, serialNumber }, atMs) => {
      const certificate = issued(lifeMs, serialNumber);
      const asked = { issuedAt: undefined, now: NOW };
      const own = dueIn(scheduleWith(certificate, wish(lifeMs, undefined, uid), asked));
      const suggested = dueIn(
        scheduleWith(certificate, wish(lifeMs, undefined, uid), { ...asked, suggested: after(atMs) }),
      );
      assert.ok(suggested <= own);
      assert.ok(suggested >= own / 2 - SECOND);
      assert.ok(suggested >= Math.min(own, Math.max(5 * SECOND, lifeMs / 10)));
      if (atMs > own / 2 + SECOND && atMs > lifeMs / 10 + SECOND && atMs > 6 * SECOND && atMs < own - SECOND)
        assert.ok(Math.abs(suggested - atMs) <= SECOND, 'in between it is heeded');
    }),
  );
});

test('a suggestion counts for the certificate that it is about, and no other', () => {
  const seen = anObserved().withSecret().build();
  const { held } = seen;
  if (held === undefined) throw new Error('no certificate');
  const due = (serialNumber: string) =>
    scheduleOf(seen.with({ suggestion: { serialNumber, moment: NOW } }), held, NOW).due;
  assert.ok(due(held.serialNumber) < scheduleOf(seen, held, NOW).due);
  assert.equal(due('other'), scheduleOf(seen, held, NOW).due);
});

test.run();
