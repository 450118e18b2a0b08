import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { FollowedSecrets } from '../../../src/certificate/secret/followed-secrets.ts';
import { systemClock } from '../../../src/clock.ts';
import { References } from '../../../src/kube/references.ts';
import { WorkQueue } from '../../../src/queue/work-queue.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { logger, newNamespace, secret, standBehindProxy, until } from './fixture.ts';

const test = suite('foreign Secrets');
const stand = standBehindProxy(test);

const COUNT = 8;
const LIMITS = { watches: 3, firstMs: 100, longestMs: 400, apartMs: 10, wakesApartMs: 10 };
const names = Array.from({ length: COUNT }, (_, n) => `occupied-${n}`);

test('few foreign Secrets are watched, the others are read now and then, and all are noticed when they go', async () => {
  const { client } = stand.direct;
  const namespace = await newNamespace(client);
  await Promise.all(names.map((name) => client.apply(SECRETS, secret(namespace, name, '1'))));
  const references = new References(
    { client: stand.proxied.client, clock: systemClock, logger },
    { idleMs: 10 * PATIENCE_MS },
  );
  const queue = new WorkQueue(systemClock);
  const foreign = new FollowedSecrets(
    { references, clock: systemClock, wake: (key, at) => queue.add(key, at) },
    LIMITS,
  );
  const reads: string[] = [];
  const free = new Set<string>();
  /** What a reconcile does about the Secret. */
  const look = async (key: string) => {
    const name = key.split('/')[1] ?? '';
    reads.push(name);
    const found = await client.get(SECRETS, namespace, name);
    foreign.follow({ namespace, name }, found === undefined ? [] : [{ name, dataOnly: false }]);
    if (found === undefined) free.add(name);
  };
  const worker = async () => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await look(key);
      queue.done(key);
    }
  };
  const workers = [worker(), worker()];
  try {
    for (const name of names) queue.add(`${namespace}/${name}`);
    const watches = () => stand.proxy.watches(({ path }) => path.includes(namespace)).length;
    await until('the watches are open', () => watches() === LIMITS.watches);
    const readsOf = (name: string) => reads.filter((each) => each === name).length;
    const polled = () => names.filter((name) => readsOf(name) > 4);
    await until('the others are read several times', () => polled().length === COUNT - LIMITS.watches);
    assert.is(watches(), LIMITS.watches);
    const [watched = '', ...more] = names.filter((name) => !polled().includes(name));
    assert.is(more.length, LIMITS.watches - 1);
    // Once more when its watch has begun.
    for (const name of [watched, ...more]) assert.ok(readsOf(name) <= 2, `${readsOf(name)} reads of ${name}`);

    await client.delete(SECRETS, namespace, watched);
    await until('the end of one that is watched is noticed', () => free.has(watched));
    await until('another one is watched in its place', () => references.size === LIMITS.watches);
    await Promise.all(names.map((name) => client.delete(SECRETS, namespace, name)));
    await until('the end of all is noticed', () => free.size === COUNT);
    await until('nothing is watched any more', () => references.size === 0 && watches() === 0);
    const last = reads.length;
    await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.longestMs));
    assert.is(reads.length, last, 'nor read');
  } finally {
    queue.close();
    await Promise.all(workers);
    references.close();
  }
});

test.run();
