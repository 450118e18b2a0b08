import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import { caRotationDue, longestRetryMs } from './schedule.ts';

const WINDOWS: Record<string, [durationMs: number, windowMs: number]> = {
  'a twentieth of an hour': [HOUR, 3 * MINUTE],
  'a twentieth of a day, which is more than an hour, so an hour': [DAY, HOUR],
  'an hour for 90 days': [90 * DAY, HOUR],
  'three seconds for a minute': [MINUTE, 3 * SECOND],
};

for (const [sentence, [durationMs, windowMs]] of Object.entries(WINDOWS)) {
  test(`after a CA rotation the fleet comes within ${sentence}`, () => {
    const waits = Array.from(
      { length: 2000 },
      (_, index) => caRotationDue(`uid-${index}`, 2, NOW, durationMs).getTime() - NOW.getTime(),
    );
    assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) < windowMs);
    assert.ok(Math.min(...waits) < windowMs * 0.01 && Math.max(...waits) > windowMs * 0.99, 'the window is used');
  });
}

test('a CA rotation re-issues a certificate at the same moment in every reconcile, and at another one for the next generation', () => {
  const moment = caRotationDue('uid-1', 2, NOW, DAY);
  assert.equal(caRotationDue('uid-1', 2, NOW, DAY), moment);
  assert.not.equal(caRotationDue('uid-1', 3, NOW, DAY), moment);
});

const RETRIES: Record<string, [leftMs: number | undefined, durationMs: number, longestMs: number]> = {
  'a twentieth of the life that is left': [HOUR, DAY, 3 * MINUTE],
  'an hour at most': [90 * DAY, 90 * DAY, HOUR],
  'exactly an hour where twenty are left': [20 * HOUR, DAY, HOUR],
  'five seconds at least': [MINUTE, DAY, 5 * SECOND],
  'five seconds while the last second runs': [SECOND, DAY, 5 * SECOND],
  'a minute at most once it has expired': [0, 90 * DAY, MINUTE],
  'a minute at most long after it has expired': [-DAY, DAY, MINUTE],
  'a minute at most where there never was a certificate': [undefined, DAY, MINUTE],
  'five seconds where a certificate of a minute is missing': [undefined, MINUTE, 5 * SECOND],
  'a twentieth of the duration where a certificate of ten minutes is missing': [undefined, 10 * MINUTE, 30 * SECOND],
};

for (const [sentence, [leftMs, durationMs, longestMs]] of Object.entries(RETRIES)) {
  test(`between two tries lies ${sentence}`, () => {
    assert.is(longestRetryMs(leftMs === undefined ? undefined : after(leftMs), durationMs, NOW), longestMs);
  });
}

test('a certificate of any life gets many tries in the time from due to its end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 400 * 86_400 }), (seconds) => {
      const lifeMs = seconds * SECOND;
      let tries = 0;
      // At the slowest: every wait is the longest one, with its jitter.
      for (let leftMs = lifeMs / 2; leftMs > 0 && tries < 1000; tries++)
        leftMs -= longestRetryMs(after(leftMs), lifeMs, NOW) * 1.2;
      assert.ok(tries >= 5, `${tries} tries`);
    }),
  );
});

test.run();
