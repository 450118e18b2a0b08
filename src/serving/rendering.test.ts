import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shareRendering } from './rendering.ts';

/** Renderings that the test completes, and a clock that the test moves. */
function scene() {
  const rendered: PromiseWithResolvers<Buffer>[] = [];
  let second = Promise.withResolvers<void>();
  const get = shareRendering(
    () => {
      const each = Promise.withResolvers<Buffer>();
      rendered.push(each);
      return each.promise;
    },
    { sleep: () => second.promise },
  );
  const passSecond = async () => {
    second.resolve();
    second = Promise.withResolvers();
    await new Promise(setImmediate);
  };
  return { get, rendered, passSecond };
}

test('scrapes within a second share one rendering', async () => {
  const { get, rendered, passSecond } = scene();
  const [first, second] = [get(), get()];
  rendered[0]?.resolve(Buffer.from('one'));
  assert.is(await first, await second);
  assert.is(await get(), await first);
  await passSecond();
  const later = get();
  rendered[1]?.resolve(Buffer.from('two'));
  assert.is((await later).plain.toString(), 'two');
  assert.is(rendered.length, 2);
});

test('no second rendering begins while one is in progress, however long it takes', async () => {
  const { get, rendered, passSecond } = scene();
  const first = get();
  await passSecond();
  assert.is(get(), first);
  assert.is(rendered.length, 1);
});

test('after a failed rendering, a new one begins a second later', async () => {
  const { get, rendered, passSecond } = scene();
  const first = get();
  rendered[0]?.reject(new Error('it broke'));
  assert.is(await first.catch(({ message }) => message), 'it broke');
  await passSecond();
  const second = get();
  rendered[1]?.resolve(Buffer.from('whole'));
  assert.is((await second).plain.toString(), 'whole');
});

test('a rendering is compressed once', async () => {
  const { get, rendered } = scene();
  const rendering = get();
  rendered[0]?.resolve(Buffer.from('text '.repeat(10_000)));
  const [one, other] = await Promise.all([(await rendering).gzip(), (await rendering).gzip()]);
  assert.is(one, other);
  assert.is(gunzipSync(one).toString(), 'text '.repeat(10_000));
  assert.ok(one.length < 1_000);
});

test.run();
