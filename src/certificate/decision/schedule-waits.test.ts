import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import { longestRetryMs } from './schedule.ts';

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
