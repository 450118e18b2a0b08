import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError } from '../errors.ts';
import type { Writable } from '../kube/object.ts';
import { MOST_CHECKPOINTS, readCheckpoints, withCheckpoint } from './checkpoint.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Place } from './line.ts';

const SEGMENT = '0123456789abcdef';

function place(seq: number, segment = SEGMENT): Place {
  return { segment, seq, hash: seq.toString(16).padStart(64, '0') };
}

/** One ConfigMap of an API server, with its preconditions. */
class Store {
  object: RawObject | undefined;
  writes = 0;
  isAway = false;

  apply = async (_resource: unknown, { metadata, ...content }: Writable) => {
    if (this.isAway) throw new ApiError(0, 'Timeout', 'no answer');
    const expected = this.object?.metadata?.resourceVersion ?? '1';
    if ((metadata as RawObject['metadata'])?.resourceVersion !== expected)
      throw new ApiError(409, 'Conflict', 'changed');
    this.writes += 1;
    this.object = { ...content, metadata: { ...metadata, resourceVersion: String(100 + this.writes) } } as RawObject;
    return this.object as never;
  };

  get = async () => this.object as never;
}

function noted(store: Store): number[] {
  return readCheckpoints(store.object ?? {}).map(({ seq }) => seq);
}

function start(store: Store, clock: FakeClock) {
  const state: { written: Place | undefined; warnings: number } = { written: undefined, warnings: 0 };
  const checkpoints = new Checkpoints({
    client: store,
    clock,
    log: { warn: () => void state.warnings++ },
    namespace: 'certwheel-system',
    written: async () => state.written,
  });
  const write = (seq: number) => {
    state.written = place(seq);
    checkpoints.wake();
  };
  return { state, checkpoints, write };
}

test('lines are noted soon, then at most once a minute, and never at rest', async () => {
  const [store, clock] = [new Store(), new FakeClock(NOW)];
  const { write } = start(store, clock);
  for (let second = 0; second < 180; second++) {
    write(second);
    await clock.advance(1_000);
  }
  assert.is(store.writes, 3);
  await clock.advance(60_000);
  assert.equal(noted(store), [179]);
  assert.is(store.writes, 4);
  await clock.advance(3_600_000);
  assert.is(store.writes, 4);
  assert.is(clock.pending, 0);
});

test('the last line is noted at the end', async () => {
  const [store, clock] = [new Store(), new FakeClock(NOW)];
  const { write, checkpoints } = start(store, clock);
  write(1);
  await clock.advance(1_000);
  write(2);
  await checkpoints.close();
  assert.equal(noted(store), [2]);
});

test('replicas keep the entries of each other', async () => {
  const [store, clock] = [new Store(), new FakeClock(NOW)];
  const [one, other] = [start(store, clock), start(store, clock)];
  one.state.written = place(1, '1'.repeat(16));
  other.state.written = place(2, '2'.repeat(16));
  for (const { checkpoints } of [one, other]) checkpoints.wake();
  await clock.advance(1_000);
  one.state.written = place(3, '1'.repeat(16));
  one.checkpoints.wake();
  await clock.advance(60_000);
  assert.equal(noted(store).sort(), [2, 3]);
});

test('an API server that is away is tried again a minute later, with a warning', async () => {
  const [store, clock] = [new Store(), new FakeClock(NOW)];
  const { state, write } = start(store, clock);
  store.isAway = true;
  write(1);
  await clock.advance(1_000);
  assert.equal([state.warnings, store.writes], [1, 0]);
  store.isAway = false;
  await clock.advance(60_000);
  assert.equal([state.warnings, noted(store)], [1, [1]]);
});

test('the segments that were noted last are kept', () => {
  let data: Readonly<Record<string, string>> = {};
  for (let n = 0; n < MOST_CHECKPOINTS + 20; n++) {
    const time = new Date(NOW.getTime() + n * 1_000).toISOString();
    data = withCheckpoint(readCheckpoints({ data }), { ...place(n, n.toString(16).padStart(16, '0')), time });
  }
  const kept = readCheckpoints({ data }).map(({ seq }) => seq);
  assert.is(kept.length, MOST_CHECKPOINTS);
  assert.is(Math.min(...kept), 20);
});

test('entries that make no sense are left out', () => {
  const good = JSON.stringify({ seq: 1, hash: place(1).hash, time: NOW.toISOString() });
  const data = {
    [SEGMENT]: good,
    wrong: good,
    ['1'.repeat(16)]: '{}',
    ['2'.repeat(16)]: 'no JSON',
    ['3'.repeat(16)]: 'null',
  };
  assert.is(readCheckpoints({ data }).length, 1);
  assert.equal(readCheckpoints({}), []);
});

test.run();
