import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Clock, systemClock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { EventRecorder, type NewEvent } from './events.ts';

interface Written {
  metadata: { namespace: string; name: string };
  note: string;
  eventTime: string;
  series?: { count: number; lastObservedTime: string };
}

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function newRecorder(fails = false) {
  const written: Written[] = [];
  let now = 0;
  const pass = (ms: number) => {
    now += ms;
  };
  const clock: Clock = { ...systemClock, monotonicMs: () => now, now: () => new Date(1_700_000_000_000 + now) };
  const apply = async (_resource: unknown, object: object) => {
    written.push(object as Written);
    if (fails) throw new ApiError(500, 'InternalError', 'no');
    return {} as never;
  };
  const recorder = new EventRecorder({ client: { apply }, clock, logger: quiet, instance: 'pod' });
  return { recorder, written, pass };
}

function event(changes: Partial<NewEvent> = {}, name = 'a', namespace: string | undefined = 'ns'): NewEvent {
  const regarding = { apiVersion: 'v1', kind: 'Secret', namespace, name, uid: `uid-${name}` };
  return { regarding, type: 'Warning', reason: 'Failed', action: 'Issue', note: 'it failed', ...changes };
}

test('a repeated event is written as a series, at most every five minutes', async () => {
  const { recorder, written, pass } = newRecorder();
  for (let index = 0; index < 60; index++) {
    recorder.record(event());
    await recorder.flush();
    pass(10_000);
  }
  assert.equal(
    written.map(({ series }) => series?.count),
    [undefined, 31],
  );
  assert.is(new Set(written.map(({ metadata }) => metadata.name)).size, 1);
  assert.is(new Set(written.map(({ eventTime }) => eventTime)).size, 1);
});

test('an event that repeats after more than ten minutes of silence is a new event', async () => {
  const { recorder, written, pass } = newRecorder();
  recorder.record(event());
  pass(600_000);
  recorder.record(event());
  await recorder.flush();
  assert.equal(
    written.map(({ series }) => series),
    [undefined, undefined],
  );
  assert.is(new Set(written.map(({ metadata }) => metadata.name)).size, 2);
});

test('an event of something without a namespace goes to the namespace default', async () => {
  const { recorder, written } = newRecorder();
  recorder.record(event({}, 'a', ''));
  await recorder.flush();
  assert.is(written[0]?.metadata.namespace, 'default');
});

test('a note is cut at 1,024 bytes and in no character, a name at 253', async () => {
  const { recorder, written } = newRecorder();
  recorder.record(event({ note: 'x€'.repeat(1_000) }, 'n'.repeat(253)));
  await recorder.flush();
  const note = written[0]?.note ?? '';
  assert.ok(Buffer.byteLength(note) <= 1_024 && Buffer.byteLength(note) > 1_015);
  assert.not.match(note, /\uFFFD/);
  assert.is(written[0]?.metadata.name.length, 253);
});

test('a note shows what is invisible in it', async () => {
  const { recorder, written } = newRecorder();
  recorder.record(event({ note: 'the answer a\x85b\u202e\ufffe\ud83d' }));
  await recorder.flush();
  assert.is(written[0]?.note, 'the answer a\\u{85}b\\u{202e}\\u{fffe}\\u{d83d}');
});

test('an API server that refuses events is of no concern to the caller that records them', async () => {
  const { recorder, written } = newRecorder(true);
  recorder.record(event());
  recorder.record(event({ note: 'another' }));
  await recorder.flush();
  assert.is(written.length, 2);
});

/** A recorder whose API server never answers. */
function hanging() {
  const lines: unknown[] = [];
  const aborted: string[] = [];
  const apply = (_resource: unknown, object: { note: string }, { signal }: { signal: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(object.note);
        reject(new ApiError(0, 'Aborted', 'given up'));
      });
    });
  const logger: Logger = { ...quiet, warn: (message, fields) => void lines.push({ message, ...fields }) };
  const client = { apply: apply as never };
  return { recorder: new EventRecorder({ client, clock: systemClock, logger, instance: 'pod' }), lines, aborted };
}

test('closing waits for what cannot be written as long as it may, drops the rest and logs how many', async () => {
  const { recorder, lines, aborted } = hanging();
  for (let index = 0; index < 300; index++) recorder.record(event({ note: `${index}` }));
  await recorder.close(20);
  assert.equal(lines, [
    { message: 'events were dropped, since they could not be written before the stop', events: 300 },
  ]);
  assert.equal(aborted, ['0']);
  recorder.record(event({ note: 'too late' }));
  await recorder.flush();
  assert.is(lines.length, 1);
});

test('close writes the events that wait, and logs nothing where that succeeds', async () => {
  const { recorder, written } = newRecorder();
  for (let index = 0; index < 10; index++) recorder.record(event({ note: `${index}` }));
  await recorder.close(60_000);
  assert.is(written.length, 10);
  await newRecorder().recorder.close(60_000);
});

test('a flood is bounded: what cannot wait is dropped', async () => {
  const { recorder, written } = newRecorder();
  for (let index = 0; index < 5_000; index++) recorder.record(event({ note: `${index}` }));
  await recorder.flush();
  assert.ok(written.length <= 502, `${written.length}`);
  recorder.record(event({ note: 'afterwards' }));
  await recorder.flush();
  assert.is(written.at(-1)?.note, 'afterwards');
});

test.run();
