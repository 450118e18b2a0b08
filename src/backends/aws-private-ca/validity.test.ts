import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCaArn } from './arn.ts';
import type { Description } from './description.ts';
import { validityOf } from './validity.ts';

const CA = parseCaArn('arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1');
const NOW = new Date('2026-06-01T12:00:00.700Z');
const NOW_SECONDS = Math.floor(NOW.getTime() / 1_000);
const HOUR = 3_600;
const DAY = 24 * HOUR;

const described = (fields: Partial<Description> = {}): Description => ({
  status: 'ACTIVE',
  notAfter: new Date('2036-01-01T00:00:00Z'),
  keyAlgorithm: 'RSA_2048',
  isShortLived: false,
  publishesRevocations: true,
  ...fields,
});

/** Seconds before and after now. */
function spans(seconds: number, fields: Partial<Description> = {}): readonly [number, number] {
  const { notBefore, notAfter } = validityOf(seconds * 1_000, described(fields), CA, NOW);
  return [NOW_SECONDS - notBefore, notAfter - NOW_SECONDS];
}

test('a life is counted from now, in whole seconds, and reaches back a minute or a tenth of it', () => {
  assert.equal(spans(HOUR), [60, HOUR]);
  assert.equal(spans(60), [6, 60]);
  assert.equal(spans(400 * DAY), [60, 400 * DAY]);
});

test('a life ends before the CA does, and none is asked for where less than a minute is left', () => {
  const ending = (seconds: number) => ({ notAfter: new Date(NOW.getTime() + seconds * 1_000) });
  assert.equal(spans(DAY, ending(HOUR)), [60, HOUR - 10]);
  assert.equal(spans(60, ending(70)), [6, 60]);
  assert.throws(() => spans(DAY, ending(60)), /ends at 2026-06-01T12:01:00.700Z/);
  assert.throws(() => spans(DAY, ending(-HOUR)), /ends at/);
  assert.equal(spans(DAY, { notAfter: undefined }), [60, DAY]);
});

test('a CA of short lives gives 7 days, counted from notBefore, and denies more', () => {
  const isShortLived = true;
  assert.equal(spans(DAY, { isShortLived }), [60, DAY]);
  const [before, after] = spans(7 * DAY, { isShortLived });
  assert.ok(before + after <= 7 * DAY && before + after >= 7 * DAY - 12);
  assert.throws(() => spans(7 * DAY + 1, { isShortLived }), /7 days at most; set spec.duration to 168h or less/);
});

test.run();
