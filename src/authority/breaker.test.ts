import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Clock, systemClock } from '../clock.ts';
import type { Trouble } from '../trouble.ts';
import { Breaker } from './breaker.ts';

const DOWN: Trouble = { code: 'AuthorityUnreachable', message: 'the connection was refused' };
const BROKEN: Trouble = { code: 'AuthorityUnavailable', message: 'answered 500' };

/** A breaker whose clock stands still until told, and how many its door lets through. */
function staged() {
  let nowMs = 1_000;
  const admitted: number[] = [];
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs, random: () => 0.5 };
  const breaker = new Breaker(clock, { setConcurrency: (most) => admitted.push(most) });
  const door = () => admitted.at(-1) ?? Number.POSITIVE_INFINITY;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { breaker, door, pass };
}

test('a probe that fails lets no request through, and the pauses between probes double up to half a minute', () => {
  const { breaker, door, pass } = staged();
  const pauses = Array.from({ length: 8 }, () => {
    breaker.probe()(DOWN);
    const { probeInMs } = breaker;
    pass(probeInMs);
    return probeInMs;
  });
  assert.equal(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.is(door(), 0);
  assert.is(breaker.probeInMs, 0);
  assert.equal([breaker.blockedBy, breaker.trouble], [DOWN, DOWN]);
});

test('after a good probe one is let through, and when that was answered, all', () => {
  const { breaker, door } = staged();
  breaker.probe()(DOWN);
  breaker.probe()(undefined);
  assert.is(door(), 1);
  assert.equal([breaker.blockedBy, breaker.trouble], [undefined, undefined]);
  assert.ok(breaker.answered());
  assert.is(door(), Number.POSITIVE_INFINITY);
  assert.not(breaker.answered(), 'that is told once');
});

test('a failed request is followed by a probe at once; while probes succeed all the same, the trouble stays reported', () => {
  const { breaker, door, pass } = staged();
  breaker.failed(BROKEN);
  assert.equal([breaker.probeInMs, door()], [0, 0]);
  breaker.probe()(undefined);
  assert.equal([breaker.blockedBy, breaker.trouble, door()], [undefined, BROKEN, 1]);
  // The one that was let through fails too: the next one waits.
  breaker.failed(BROKEN);
  assert.equal([breaker.probeInMs, door()], [2_000, 0]);
  pass(2_000);
  breaker.probe()(undefined);
  assert.is(door(), 1);
  assert.ok(breaker.answered());
  assert.equal([breaker.trouble, door()], [undefined, Number.POSITIVE_INFINITY]);
});

test('while a certificate is tried, what the last probe found stays told, and not what a certificate met before it', () => {
  const { breaker } = staged();
  breaker.failed(BROKEN);
  breaker.probe()(DOWN);
  breaker.probe()(undefined);
  assert.equal([breaker.blockedBy, breaker.trouble], [undefined, DOWN]);
  breaker.failed(BROKEN);
  assert.is(breaker.trouble, BROKEN);
});

test('requests that fail together count as one failure, and a late success does not end the trouble', () => {
  const { breaker, door } = staged();
  breaker.probe()(DOWN);
  const { probeInMs } = breaker;
  for (let n = 0; n < 16; n++) breaker.failed(BROKEN);
  assert.equal([breaker.probeInMs, breaker.trouble], [probeInMs, DOWN]);
  assert.not(breaker.answered());
  assert.is(door(), 0);
});

test('an authority that asks to be left alone is left alone for so long, by probes and by certificates', () => {
  const { breaker, pass } = staged();
  breaker.failed(BROKEN, 3_600_000);
  assert.is(breaker.probeInMs, 3_600_000);
  pass(3_600_000);
  breaker.probe()(DOWN, 90_000);
  assert.is(breaker.probeInMs, 90_000);
});

test('a credential that has changed is tried at once, and the pauses begin anew', () => {
  const { breaker, pass } = staged();
  for (let n = 0; n < 5; n++) {
    breaker.probe()(DOWN);
    pass(breaker.probeInMs);
  }
  breaker.probe()(DOWN);
  breaker.probeNow();
  assert.is(breaker.probeInMs, 0);
  breaker.probe()(DOWN);
  assert.is(breaker.probeInMs, 1_000);
});

test('a doubt that no certificate ends is ended by a good probe two minutes later', () => {
  const { breaker, door, pass } = staged();
  breaker.failed(BROKEN);
  breaker.probe()(undefined);
  pass(120_001);
  breaker.probe()(undefined);
  assert.equal([breaker.trouble, door()], [undefined, Number.POSITIVE_INFINITY]);
});

test('a probe that a failure has overtaken neither opens the door nor shuts it for longer', () => {
  const { breaker, door } = staged();
  const good = breaker.probe();
  const bad = breaker.probe();
  breaker.failed(BROKEN);
  breaker.probe()(undefined);
  breaker.failed(BROKEN);
  good(undefined);
  bad(DOWN);
  assert.equal([breaker.probeInMs, breaker.trouble, door()], [2_000, BROKEN, 0]);
});

test('one that has no door is none the less probed less and less', () => {
  const breaker = new Breaker({ ...systemClock, monotonicMs: () => 0, random: () => 0.5 }, undefined);
  breaker.probe()(DOWN);
  assert.is(breaker.probeInMs, 1_000);
  breaker.probe()(undefined);
  assert.is(breaker.blockedBy, undefined);
});

test('a replica with a quarter of the shards probes a quarter as often', () => {
  const clock: Clock = { ...systemClock, monotonicMs: () => 1_000, random: () => 0.5 };
  const breaker = new Breaker(clock, undefined, () => 0.25);
  breaker.probe()(DOWN);
  assert.is(breaker.probeInMs, 4_000);
  breaker.probe()(DOWN, 2_000);
  assert.is(breaker.probeInMs, 2_000, 'what the authority asked for is obeyed as it is');
});

test.run();
