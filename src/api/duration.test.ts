import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../test/unit/cpu.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** What Go's time.ParseDuration answers, in milliseconds; undefined where it answers an error. */
const PARSED: Record<string, number | undefined> = {
  '24h': 86_400_000,
  '1h30m': 5_400_000,
  '90s': 90_000,
  '1.5h': 5_400_000,
  '.5h': 1_800_000,
  '1.h': 3_600_000,
  '100ms': 100,
  '1s500ms': 1_500,
  '1h1h': 7_200_000,
  '30m1h': 5_400_000,
  '1000us': 1,
  '1000µs': 1,
  '1000μs': 1,
  '1000000ns': 1,
  '0': 0,
  '0s': 0,
  '00001h': 3_600_000,
  '': undefined,
  h: undefined,
  '1': undefined,
  '3600': undefined,
  '1d': undefined,
  '7d': undefined,
  '1w': undefined,
  '1y': undefined,
  '.h': undefined,
  '.': undefined,
  '1h ': undefined,
  ' 1h': undefined,
  '1 h': undefined,
  '1H': undefined,
  '1h30': undefined,
  '30h1': undefined,
  '1e3s': undefined,
  '0x1h': undefined,
  '1.2.3h': undefined,
  '1,5h': undefined,
  '1h\n': undefined,
  infinity: undefined,
  NaN: undefined,
};

for (const [text, ms] of Object.entries(PARSED)) {
  test(`${JSON.stringify(text)} is ${ms === undefined ? 'no duration' : `${ms} ms`}`, () => {
    assert.is(parseDuration(text), ms);
  });
}

test('a sign is no duration here, though it is one for Go', () => {
  for (const text of ['-1h', '+1h', '-0', '+0']) assert.is(parseDuration(text), undefined);
});

const WRITTEN: Record<string, number> = {
  '24h': 86_400_000,
  '1h30m': 5_400_000,
  '45s': 45_000,
  '1m': 60_000,
  '1h1s': 3_601_000,
  '0s': 0,
  '8760h': 31_536_000_000,
};

for (const [text, ms] of Object.entries(WRITTEN)) {
  test(`${ms} ms are written as ${text}`, () => assert.is(formatDuration(ms), text));
}

test('what is no whole second is rounded, and nothing is negative', () => {
  assert.is(formatDuration(1_499), '1s');
  assert.is(formatDuration(1_500), '2s');
  assert.is(formatDuration(59_999), '1m');
  assert.is(formatDuration(-5_000), '0s');
});

test('what is written is what is read', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), (seconds) => {
      assert.is(parseDuration(formatDuration(seconds * 1_000)), seconds * 1_000);
    }),
  );
});

test('any text is parsed as a number of at least 0, or as undefined', () => {
  const odd = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.hmsnuµ-]{1,20}$/));
  fc.assert(
    fc.property(odd, (text) => {
      const ms = parseDuration(text);
      assert.ok(ms === undefined || ms >= 0);
    }),
    { numRuns: 1000 },
  );
});

test('a long text takes no long time', () => {
  const ms = cpuMs(() => {
    parseDuration(`${'1h'.repeat(50_000)}x`);
    parseDuration('1'.repeat(100_000));
  });
  assert.ok(ms < 1_000, `${ms} ms`);
});

test.run();
