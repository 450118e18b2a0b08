import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bench, inTurn } from '../../test/unit/controller-bench.ts';
import { settle } from '../../test/unit/fake-clock.ts';
import { AuthorityError, RetryableError } from '../errors.ts';

bench('a run that rests is not repeated', async ({ clock, controller, runs }) => {
  controller.queue.add('a');
  await clock.advance(3_600_000);
  assert.equal(runs, [0]);
});

bench('a run that rests until a moment is repeated then', async (one) => {
  one.answer = inTurn({ do: 'rest', recheckAt: one.clock.in(60_000) });
  one.controller.queue.add('a');
  await one.clock.advance(3_600_000);
  assert.equal(one.runs, [0, 60_000]);
});

bench('a run that chose the moment of its retry is repeated then', async (one) => {
  one.answer = inTurn({ do: 'retry', at: one.clock.in(7_000) }, { do: 'retry', at: one.clock.in(8_000) });
  one.controller.queue.add('a');
  await one.clock.advance(3_600_000);
  assert.equal(one.runs, [0, 7_000, 8_000]);
  assert.equal(one.lines, []);
});

bench('a lost race is settled in milliseconds, and later where it goes on and on', async (one) => {
  one.answer = async () => ({ do: 'again' });
  one.controller.queue.add('a');
  await one.clock.advance(60_000);
  const gaps = one.runs.slice(1).map((at, index) => at - (one.runs[index] ?? 0));
  assert.equal(gaps.slice(0, 10), [20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000]);
  assert.equal(one.lines, []);
});

bench('a rest forgets the lost races', async (one) => {
  one.answer = inTurn(
    { do: 'again' },
    { do: 'again' },
    { do: 'rest', recheckAt: one.clock.in(1_000) },
    { do: 'again' },
  );
  one.controller.queue.add('a');
  await one.clock.advance(60_000);
  assert.equal(one.runs, [0, 20, 60, 1_000, 1_020]);
});

bench('an error is retried with a wait that doubles up to fifteen seconds', async (one) => {
  one.answer = async () => {
    throw new RetryableError('ApiServerUnavailable', 'no answer');
  };
  one.controller.queue.add('a');
  await one.clock.advance(120_000);
  const gaps = one.runs.slice(1).map((at, index) => at - (one.runs[index] ?? 0));
  assert.equal(gaps.slice(0, 9), [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
});

bench('a lost race that was thrown is logged only where another one follows', async (one) => {
  const levels = () => one.lines.map(({ level }) => level);
  const lost = new RetryableError('Conflict', 'the object has been modified');
  one.answer = inTurn(lost, { do: 'rest' });
  one.controller.queue.add('a');
  await one.clock.advance(60_000);
  assert.equal(levels(), ['debug']);
  one.answer = inTurn(lost, lost, { do: 'rest' });
  one.controller.queue.add('a');
  await one.clock.advance(60_000);
  assert.equal(levels(), ['debug', 'debug', 'warn']);
});

bench('one key that fails does not slow another one', async (one) => {
  one.answer = async (key) => {
    if (key === 'bad') throw new RetryableError('ApiServerUnavailable', 'no answer');
    return { do: 'rest' };
  };
  for (let n = 0; n < 5; n++) {
    one.controller.queue.add('bad');
    await one.clock.advance(10_000);
  }
  one.runs.length = 0;
  one.controller.queue.add('good');
  await settle();
  assert.is(one.runs.length, 1);
});

bench('Retry-After wins over a shorter backoff, and not over a longer one', async (one) => {
  one.answer = inTurn(
    new RetryableError('TooManyRequests', 'slow down', { retryAfterMs: 30_000 }),
    new RetryableError('TooManyRequests', 'slow down', { retryAfterMs: 1 }),
  );
  one.controller.queue.add('a');
  await one.clock.advance(60_000);
  assert.equal(one.runs, [0, 30_000, 30_400]);
});

bench('an error that was foreseen is logged without a stack', async (one) => {
  one.answer = inTurn(new AuthorityError('CAExpired', 'the CA is gone'));
  one.controller.queue.add('ns/a');
  await settle();
  const [line] = one.lines;
  assert.is(line?.level, 'warn');
  assert.is(line?.stack, undefined);
  assert.equal(
    [line?.controller, line?.key, line?.code, line?.error, line?.attempt],
    ['things', 'ns/a', 'CAExpired', 'the CA is gone', 1],
  );
});

bench('an unforeseen error is logged with its own stack, and retried', async (one) => {
  const bug = new TypeError('x is not a function');
  one.answer = inTurn(bug);
  one.controller.queue.add('a');
  await one.clock.advance(1_000);
  const [line] = one.lines;
  assert.is(line?.level, 'error');
  assert.is(line?.code, 'Unexpected');
  assert.is(line?.stack, bug.stack);
  assert.equal(one.runs, [0, 200]);
});

bench('a run that throws what is no error, or throws before it is a promise, is an error all the same', async (one) => {
  one.answer = () => {
    throw 'just a text';
  };
  one.controller.queue.add('a');
  await settle();
  assert.is(one.lines[0]?.error, 'just a text');
  one.answer = inTurn();
  await one.clock.advance(1_000);
  assert.is(one.runs.length, 2);
});

bench('metrics have the outcome and the duration of each run', async (one) => {
  one.answer = async () => {
    await one.clock.sleep(1_500);
    return { do: 'rest' };
  };
  one.controller.queue.add('a');
  await one.clock.advance(2_000);
  one.answer = inTurn({ do: 'again' }, { do: 'retry', at: one.clock.in(1_000) }, new Error('bug'));
  one.controller.queue.add('a');
  await one.clock.advance(2_000);
  assert.equal(
    one.metrics.map(([, outcome]) => outcome),
    ['rest', 'again', 'retry', 'error', 'rest'],
  );
  assert.equal(one.metrics[0], ['things', 'rest', 1.5]);
});

test.run();
