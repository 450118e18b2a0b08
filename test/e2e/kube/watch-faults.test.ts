import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { pause, secretsOf, standBehindProxy, until, watchSecrets } from './fixture.ts';
import { OwnClock } from './own-clock.ts';
import type { WatchPipe } from './watch-pipe.ts';

const test = suite('watch faults');
const stand = standBehindProxy(test, startControlPlane);
const { here, watches, lists, write } = secretsOf(test, stand);

for (const [how, doIt] of [
  ['reset', (stream: WatchPipe) => stream.cut()],
  ['reset in the middle of an event', (stream: WatchPipe) => stream.breakOff()],
  ['sent a line that is no JSON', (stream: WatchPipe) => stream.inject('{"type":"ADDED",')],
] as const) {
  test(`a watch that is ${how} resumes from where it was, without a list`, async () => {
    await write('a', '1');
    await write('gone', '1');
    const watching = await watchSecrets(stand.proxied.client, here.namespace);
    await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
    await pause(350);
    for (const stream of stand.proxy.watches(watches)) doIt(stream);
    await stand.direct.client.delete(SECRETS, here.namespace, 'gone');
    await write('a', '2');
    await until('caught up', () => watching.cache.get(`${here.namespace}/a`) === '2' && watching.cache.size === 1);
    assert.is(watching.watch.stats.lists, 1);
    await watching.stop();
  });
}

test('a watch that goes silent is noticed by its watchdog and resumes', async () => {
  await write('a', '1');
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  for (const one of stand.proxy.watches(watches)) one.freeze();
  await write('a', '2');
  await until('caught up', () => watching.cache.get(`${here.namespace}/a`) === '2');
  assert.is(watching.watch.stats.restarts.idle, 1);
  assert.is(watching.watch.stats.lists, 1);
  await watching.stop();
});

test('a watch is behind while it fails, and once it has been silent for long, also when it is opened anew', async () => {
  const clock = new OwnClock();
  const watching = await watchSecrets(stand.proxied.client, here.namespace, { idleMs: 600_000 }, clock);
  const opened = () => stand.proxy.requests.filter(watches).length;
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  assert.not(watching.watch.isBehind);
  clock.aheadMs = 91_000;
  assert.ok(watching.watch.isBehind, 'nothing has arrived, no bookmark either');
  const before = opened();
  for (const one of stand.proxy.watches(watches)) one.end();
  await until('it is open again', () => opened() > before && stand.proxy.watches(watches).length === 1);
  assert.ok(watching.watch.isBehind, 'that it opens proves nothing');
  await write('a', '1');
  await until('an event arrives', () => watching.cache.get(`${here.namespace}/a`) === '1');
  assert.not(watching.watch.isBehind);
  const mend = stand.proxy.when(watches, { kind: 'answer', status: 503 }, { times: Number.POSITIVE_INFINITY });
  for (const one of stand.proxy.watches(watches)) one.cut();
  await until('it fails', () => watching.watch.isBehind);
  mend();
  await until('it is well again', () => !watching.watch.isBehind);
  await watching.stop();
});

test('a 410 on opening a watch leads to one list, and what was deleted meanwhile is noticed', async () => {
  await write('a', '1');
  await write('gone', '1');
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await pause(350);
  stand.proxy.when(watches, { kind: 'answer', status: 410, reason: 'Expired' });
  for (const one of stand.proxy.watches(watches)) one.freeze();
  await stand.direct.client.delete(SECRETS, here.namespace, 'gone');
  await write('a', '2');
  for (const one of stand.proxy.watches(watches)) one.cut();
  await until('caught up', () => watching.cache.get(`${here.namespace}/a`) === '2' && watching.cache.size === 1);
  assert.is(watching.watch.stats.lists, 2);
  assert.is(watching.watch.stats.restarts.expired, 1);
  assert.equal(watching.changes.at(-2), [`${here.namespace}/gone`, '1', undefined]);
  await watching.stop();
});

test('a 410 inside a stream leads to one list, and what was deleted meanwhile is noticed', async () => {
  await write('a', '1');
  await write('gone', '1');
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await pause(350);
  const [stream] = stand.proxy.watches(watches);
  stream?.freeze();
  await stand.direct.client.delete(SECRETS, here.namespace, 'gone');
  stream?.expire();
  await until('caught up', () => watching.cache.size === 1);
  await pause(300);
  assert.is(watching.watch.stats.lists, 2);
  assert.is(watching.watch.stats.restarts.expired, 1);
  await watching.stop();
});

test('a 429 with Retry-After keeps away for that long', async () => {
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await pause(350);
  const from = stand.proxy.requests.length;
  stand.proxy.when(watches, { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: '2' });
  for (const one of stand.proxy.watches(watches)) one.cut();
  await until('refused', () => watching.watch.stats.restarts.throttled === 1);
  await until('open again', () => stand.proxy.watches(watches).length === 1);
  const [refused, admitted] = stand.proxy.requests.slice(from).filter(watches);
  const awayMs = (admitted?.atMs ?? 0) - (refused?.atMs ?? 0);
  assert.ok(awayMs >= 1_900, `came back after ${awayMs} ms`);
  await watching.stop();
});

for (const [what, status, body] of [
  ['a 500', 500, undefined],
  ['a 503 with HTML', 503, '<html>no</html>'],
  ['a 502 without a body', 502, ''],
] as const) {
  test(`${what} to a list and to a watch is survived`, async () => {
    await write('a', '1');
    const fault = {
      kind: 'answer',
      status,
      ...(body === undefined ? {} : { body, contentType: 'text/html' }),
    } as const;
    stand.proxy.when(lists, fault, { times: 2 });
    stand.proxy.when(watches, fault, { times: 2 });
    const watching = await watchSecrets(stand.proxied.client, here.namespace);
    await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
    assert.is(watching.cache.size, 1);
    assert.is(watching.watch.stats.restarts.serverError, 4);
    await watching.stop();
  });
}

test('streams that end at once are no reason to reconnect in a hot loop', async () => {
  const end = stand.proxy.when(watches, { kind: 'answer', status: 200, body: '' }, { times: 1_000 });
  const before = stand.proxy.requests.length;
  const watching = await watchSecrets(stand.proxied.client, here.namespace, {
    firstBackoffMs: 800,
    longestBackoffMs: 30_000,
  });
  const began = performance.now();
  await pause(5_000);
  end();
  // The pause may have been longer.
  const within = (atMs: number) => atMs < began + 5_000;
  const tries = stand.proxy.requests.slice(before).filter((each) => watches(each) && within(each.atMs)).length;
  assert.ok(tries <= 12, `${tries} watches in 5 s`);
  await watching.stop();
});

test('a watch that its server ends in good order is opened again at once', async () => {
  const watching = await watchSecrets(stand.proxied.client, here.namespace, {
    shortestHealthyMs: 100,
    // Whoever waited would be too late.
    firstBackoffMs: 10 * PATIENCE_MS,
    longestBackoffMs: 10 * PATIENCE_MS,
  });
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await pause(200);
  const before = stand.proxy.requests.filter(watches).length;
  for (const one of stand.proxy.watches(watches)) one.end();
  await until('open again', () => stand.proxy.requests.filter(watches).length > before);
  assert.is(watching.watch.stats.restarts.ended, 1);
  await watching.stop();
});

test('a 404 leaves the cache as it is, and a list follows once the resource is back', async () => {
  await write('a', '1');
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await pause(350);
  const gone = stand.proxy.when(
    ({ path }) => path.endsWith(`/${here.namespace}/secrets`),
    { kind: 'answer', status: 404, reason: 'NotFound' },
    { times: 1_000 },
  );
  for (const one of stand.proxy.watches(watches)) one.cut();
  await until('refused twice', () => (watching.watch.stats.restarts.notFound ?? 0) >= 2);
  assert.is(watching.cache.get(`${here.namespace}/a`), '1');
  gone();
  await until('listed again', () => watching.watch.stats.lists === 2);
  await watching.stop();
});

test('200 reconnects leave no connection and no file descriptor behind', async () => {
  const watching = await watchSecrets(stand.proxied.client, here.namespace, {
    firstBackoffMs: 1,
    longestBackoffMs: 1,
    shortestHealthyMs: 0,
  });
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const reconnect = async (how: 'cut' | 'end' | 'expire') => {
    await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
    const [stream] = stand.proxy.watches(watches);
    stream?.[how]();
    await until('it is noticed', () => !stand.proxy.watches(watches).includes(stream as never));
  };
  for (let index = 0; index < 10; index++) await reconnect('cut');
  const [fds, connections] = [descriptors(), stand.proxy.connections()];
  for (let index = 0; index < 200; index++)
    await reconnect(index % 3 === 0 ? 'end' : index % 3 === 1 ? 'cut' : 'expire');
  await until('the last one is open', () => stand.proxy.watches(watches).length === 1);
  assert.ok(descriptors() <= fds + 6, `${fds} descriptors before, ${descriptors()} after`);
  assert.ok(
    stand.proxy.connections() <= connections + 2,
    `${connections} connections before, ${stand.proxy.connections()} after`,
  );
  await watching.stop();
});

test('watches through a restart of the API server miss nothing', async () => {
  await write('a', '1');
  await write('gone', '1');
  const watching = await watchSecrets(stand.direct.client, here.namespace);
  await stand.cluster.restartApiServer({ downForMs: 1_000 });
  await until('it writes again', () =>
    write('a', '2').then(
      () => true,
      () => false,
    ),
  );
  await stand.direct.client.delete(SECRETS, here.namespace, 'gone');
  await until('caught up', () => watching.cache.get(`${here.namespace}/a`) === '2' && watching.cache.size === 1);
  assert.ok(watching.watch.stats.lists <= 2, `${watching.watch.stats.lists} lists`);
  await watching.stop();
});

test.run();
