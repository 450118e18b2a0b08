import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import type { Matcher } from './fault-proxy.ts';
import { pause, secretsOf, standBehindProxy, until, watchSecrets } from './fixture.ts';
import type { WatchPipe } from './watch-pipe.ts';

const test = suite('list faults');
const stand = standBehindProxy(test);
const { here, watches, lists, write } = secretsOf(test, stand);

test('a 410 on the second page of a list starts the list anew, and no half list is believed', async () => {
  await Promise.all(Array.from({ length: 6 }, (_, index) => write(`s${index}`, '1')));
  stand.proxy.when((request) => lists(request) && request.query.has('continue'), {
    kind: 'answer',
    status: 410,
    reason: 'Expired',
  });
  const sizes = new Set<number>();
  const watching = await watchSecrets(stand.proxied.client, here.namespace, { streamsLists: false, pageSize: 4 });
  watching.cache.onChange(() => sizes.add(watching.cache.size));
  assert.is(watching.cache.size, 6);
  assert.is(watching.watch.stats.lists, 1);
  await watching.stop();
});

test('a server that streams no lists is asked for pages, at once and from then on', async () => {
  await write('a', '1');
  const streams: Matcher = ({ query }) => query.has('sendInitialEvents');
  const stop = stand.proxy.when(streams, { kind: 'answer', status: 422, reason: 'Invalid' }, { times: 1_000 });
  const before = stand.proxy.requests.filter(streams).length;
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  assert.is(watching.cache.get(`${here.namespace}/a`), '1');
  await pause(350);
  for (const stream of stand.proxy.watches(watches)) stream.expire();
  await until('listed again', () => watching.watch.stats.lists === 2);
  assert.is(stand.proxy.requests.filter(streams).length - before, 1);
  assert.equal(watching.watch.stats.restarts, { expired: 1 });
  stop();
  await watching.stop();
});

test('objects that are too large together for one page are asked for in smaller ones', async () => {
  const blob = 'x'.repeat(900_000);
  const names = Array.from({ length: 12 }, (_, index) => `large${index}`);
  await Promise.all(
    names.map((name) =>
      stand.direct.client.create(SECRETS, {
        metadata: { namespace: here.namespace, name, annotations: { note: '1' } },
        data: { blob: Buffer.from(blob).toString('base64') },
      }),
    ),
  );
  const watching = await watchSecrets(stand.proxied.client, here.namespace, { streamsLists: false });
  assert.is(watching.cache.size, names.length);
  assert.is(watching.watch.stats.lists, 1);
  assert.equal(watching.watch.stats.restarts, {});
  const limits = new Set(stand.proxy.requests.filter(lists).map(({ query }) => query.get('limit')));
  assert.ok(limits.has('500') && limits.has('8'), [...limits].join(' '));
  await watching.stop();
});

for (const [how, doIt] of [
  ['cut', (stream: WatchPipe) => stream.cut()],
  ['ended in good order before its last object', (stream: WatchPipe) => stream.end()],
  ['expired', (stream: WatchPipe) => stream.expire()],
] as const) {
  test(`a streamed list that is ${how} is not believed, and pages follow`, async () => {
    await Promise.all(Array.from({ length: 6 }, (_, index) => write(`s${index}`, '1')));
    const isEnd = (line: string) => line.includes('initial-events-end');
    const release = stand.proxy.onWatchLine(lists, (line) => {
      if (!isEnd(line)) return [line];
      for (const stream of stand.proxy.watches(lists)) setImmediate(() => doIt(stream));
      return [];
    });
    const before = stand.proxy.requests.filter(lists).length;
    const watching = await watchSecrets(stand.proxied.client, here.namespace);
    release();
    assert.is(watching.cache.size, 6);
    assert.is(watching.changes.length, 6);
    assert.equal(
      stand.proxy.requests
        .filter(lists)
        .slice(before)
        .map(({ watch }) => watch),
      [true, false],
    );
    await watching.stop();
  });
}

test('a watch that may not list says so and goes on once it may', async () => {
  stand.proxy.when(lists, { kind: 'answer', status: 403, reason: 'Forbidden' }, { times: 3 });
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  assert.is(watching.watch.stats.restarts.forbidden, 3);
  await watching.stop();
});

test.run();
