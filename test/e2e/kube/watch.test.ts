import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { CREATE_ONLY } from '../../../src/kube/object.ts';
import { secret, secretsOf, standBehindProxy, until, watchSecrets } from './fixture.ts';

const test = suite('watch');
const stand = standBehindProxy(test);
const { here, watches, lists, write } = secretsOf(test, stand);

test('a cache follows what is written, changed and deleted', async () => {
  await write('a', '1');
  const watching = await watchSecrets(stand.proxied.client, here.namespace, { streamsLists: false, pageSize: 1 });
  assert.is(watching.cache.get(`${here.namespace}/a`), '1');
  await write('b', '1');
  await write('a', '2');
  await until(
    'both',
    () => watching.cache.get(`${here.namespace}/a`) === '2' && watching.cache.get(`${here.namespace}/b`) === '1',
  );
  await stand.direct.client.delete(SECRETS, here.namespace, 'a');
  await until('a is gone', () => watching.cache.get(`${here.namespace}/a`) === undefined);
  assert.is(watching.cache.size, 1);
  await watching.stop();
});

test('where the server can, a list comes as one stream', async () => {
  await Promise.all(Array.from({ length: 25 }, (_, index) => write(`s${index}`, `${index}`)));
  const before = stand.proxy.requests.filter(lists).length;
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  assert.is(watching.cache.size, 25);
  assert.equal(
    stand.proxy.requests
      .filter(lists)
      .slice(before)
      .map(({ watch }) => watch),
    [true],
  );
  assert.is(watching.watch.stats.lists, 1);
  await watching.stop();
});

test('a list of several pages is complete', async () => {
  await Promise.all(Array.from({ length: 25 }, (_, index) => write(`s${index}`, `${index}`)));
  const before = stand.proxy.requests.filter(lists).length;
  const watching = await watchSecrets(stand.proxied.client, here.namespace, { streamsLists: false, pageSize: 10 });
  assert.is(watching.cache.size, 25);
  assert.is(stand.proxy.requests.filter(lists).length - before, 3);
  assert.is(watching.watch.stats.lists, 1);
  await watching.stop();
});

test('events that come twice or in the wrong order change nothing', async () => {
  await write('a', '1');
  const held: string[] = [];
  const stop = stand.proxy.onWatchLine(watches, (line) => {
    if (line.includes('"note":"2"')) held.push(line);
    return line.includes('"note":"3"') ? [line, line, ...held] : line.includes('"note":"2"') ? [] : [line];
  });
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  await write('a', '2');
  await write('a', '3');
  await write('b', '4');
  await until('the last event', () => watching.cache.get(`${here.namespace}/b`) === '4');
  stop();
  assert.is(watching.cache.get(`${here.namespace}/a`), '3');
  assert.equal(
    watching.changes.filter(([key]) => key.endsWith('/a')).map(([, , after]) => after),
    ['1', '3'],
  );
  await watching.stop();
});

test('an annotation with U+2028 and four-byte characters arrives as it was written', async () => {
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  const text = 'a\u2028b\u2029c\u{1f511}'.repeat(5_000);
  await write('a', text);
  await until('arrived', () => watching.cache.get(`${here.namespace}/a`) === text);
  await watching.stop();
});

test('the result of our own write is there at once, and its echo tells nobody', async () => {
  const watching = await watchSecrets(stand.proxied.client, here.namespace);
  await until('the watch is open', () => stand.proxy.watches(watches).length === 1);
  const [stream] = stand.proxy.watches(watches);
  // The echo may well overtake the answer, so it is held up.
  stream?.freeze();
  const object = await stand.proxied.client.apply(
    SECRETS,
    secret(here.namespace, 'a', '1', { resourceVersion: CREATE_ONLY }),
  );
  watching.cache.put(object, CREATE_ONLY);
  assert.is(watching.cache.get(`${here.namespace}/a`), '1');
  await write('b', '1');
  stream?.cut();
  await until('the echo has passed', () => watching.cache.get(`${here.namespace}/b`) === '1');
  assert.equal(
    watching.changes.map(([key]) => key),
    [`${here.namespace}/b`],
  );
  await watching.stop();
});

test.run();
