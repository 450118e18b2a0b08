import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealWithPassword } from '../test/unit/sealed-jwe.ts';
import { guardedLookup } from './backends/http/address.ts';
import { openWithPassword } from './backends/step-ca/jwe.ts';
import { generateKey } from './pki/keys.ts';
import { THREADS, ThreadLimit } from './threads.ts';

const KEYS = 10;

test('all kinds of work together take no more threads than there are', () => {
  const { pool, keys, names, passwords } = THREADS;
  assert.ok(Math.min(keys, names, passwords) >= 1);
  assert.ok(keys + names + passwords <= pool, `${keys} + ${names} + ${passwords} of ${pool}`);
  // Above it libuv lets names wait for each other, whatever else goes on.
  assert.ok(names <= Math.floor((pool + 1) / 2));
});

test('names are resolved and passwords are stretched while RSA keys are made', async () => {
  const order: string[] = [];
  const noting = (name: string, work: Promise<unknown>) => work.then(() => void order.push(name));
  const sealed = sealWithPassword('{}', 'secret', { p2c: 1_000 });
  const keys = Array.from({ length: KEYS }, () => noting('key', generateKey({ algorithm: 'RSA', size: 4096 })));
  const names = ['a', 'b', 'c', 'd'].map((lane) => noting('name', resolve(lane)));
  const passwords = [1, 2, 3, 4].map(() => noting('password', openWithPassword(sealed, Buffer.from('secret'))));
  await Promise.all([...names, ...passwords]);
  const keysBefore = order.filter((each) => each === 'key').length;
  await Promise.all(keys);
  // A key takes a hundred times as long as all of the others, and sometimes very little.
  assert.ok(keysBefore < KEYS / 2, order.join(' '));
});

test('as much work as there are threads goes on at once, in order, whether it ends well or badly', async () => {
  const limit = new ThreadLimit(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((n) =>
      limit.run(async () => {
        begun.push(n);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (n % 2 === 1) throw new Error(`${n}`);
      }),
    ),
  );
  assert.equal([begun, most], [[0, 1, 2, 3, 4, 5], 2]);
  assert.equal(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
  );
});

function resolve(lane: string): Promise<unknown> {
  return new Promise((done, failed) =>
    guardedLookup({ loopback: true }, lane)('localhost', { all: true }, (error, found) =>
      error === null ? done(found) : failed(error),
    ),
  );
}

test.run();
