import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listenersOf } from '../test/unit/signal-listeners.ts';
import { within } from './abort.ts';

const AN_HOUR = 3_600_000;

/** Work that ends only when its signal aborts, with the signal's reason. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

const thrownBy = (work: Promise<unknown>) => work.catch((error: unknown) => error);

test('work that ends, well or badly, leaves nothing on the signal', async () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 100; n++) {
    assert.is(await within(AN_HOUR, signal, async () => n), n);
    assert.is(await thrownBy(within(AN_HOUR, signal, () => Promise.reject(n))), n);
    assert.is(
      await thrownBy(
        within(AN_HOUR, signal, () => {
          throw n;
        }),
      ),
      n,
    );
  }
  assert.is(listenersOf(signal), 0);
});

test('the work is aborted with the signal, for the same reason', async () => {
  const parent = new AbortController();
  const work = thrownBy(within(AN_HOUR, parent.signal, untilAborted));
  assert.is(listenersOf(parent.signal), 1);
  const reason = new Error('shutting down');
  parent.abort(reason);
  assert.is(await work, reason);
  assert.is(listenersOf(parent.signal), 0);
  assert.is(await thrownBy(within(AN_HOUR, parent.signal, untilAborted)), reason);
});

test('the work is aborted when its time is over, the signal is not', async () => {
  const { signal } = new AbortController();
  assert.is(((await thrownBy(within(10, signal, untilAborted))) as Error).name, 'TimeoutError');
  assert.not(signal.aborted);
});

test('what AbortSignal.any leaves is counted', () => {
  const { signal } = new AbortController();
  AbortSignal.any([signal]).addEventListener('abort', () => {});
  assert.is(listenersOf(signal), 1);
});

test.run();
