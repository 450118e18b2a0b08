import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import type { VaultCall, VaultClient } from './client.ts';
import type { Grant } from './grant.ts';
import { Tokens } from './tokens.ts';

const SECOND = 1_000;

interface Setting {
  /** What the login answers, in turn; the last one again and again. */
  readonly grants: readonly Grant[];
  /** What renew-self answers: the new lease in seconds, or a status of refusal. */
  readonly renewal?: { readonly seconds: number } | { readonly status: number };
}

function tokens({ grants, renewal = { status: 403 } }: Setting) {
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const done: string[] = [];
  const state = { credential: 'a', failing: false };
  const client = {
    ask: async ({ path, token }: VaultCall) => {
      done.push(`${path} ${token}`);
      return 'seconds' in renewal
        ? { status: 200, body: { auth: { lease_duration: renewal.seconds, renewable: true } } }
        : { status: renewal.status, body: undefined };
    },
  } as unknown as VaultClient;
  let logins = 0;
  const login = {
    credential: async () => state.credential,
    login: async (credential: string) => {
      done.push(`login ${credential}`);
      await Promise.resolve();
      if (state.failing) throw new Error('no');
      const grant = grants[Math.min(logins++, grants.length - 1)];
      if (grant === undefined) throw new Error('no grant');
      return grant;
    },
  };
  return { clock, done, state, source: new Tokens(client, login, clock) };
}

const lease = (token: string, seconds: number | undefined, renewable = true): Grant => ({
  token,
  leaseMs: seconds === undefined ? undefined : seconds * SECOND,
  renewable,
});

test('one login serves until two thirds of its lease are over, then it is renewed', async () => {
  const { clock, done, source } = tokens({ grants: [lease('t1', 30)], renewal: { seconds: 30 } });
  assert.equal(await Promise.all([source.get(), source.get(), source.get()]), ['t1', 't1', 't1']);
  await clock.advance(19 * SECOND);
  assert.is(await source.get(), 't1');
  assert.equal(done, ['login a']);
  await clock.advance(1 * SECOND);
  assert.is(await source.get(), 't1');
  await clock.advance(19 * SECOND);
  await source.get();
  assert.equal(done, ['login a', 'auth/token/renew-self t1']);
});

test('what can not be renewed, or is refused that, is replaced by a new login', async () => {
  for (const [renewable, asked] of [
    [false, ['login a', 'login a']],
    [true, ['login a', 'auth/token/renew-self t1', 'login a']],
  ] as const) {
    const { clock, done, source } = tokens({ grants: [lease('t1', 30, renewable), lease('t2', 30)] });
    await source.get();
    await clock.advance(20 * SECOND);
    assert.is(await source.get(), 't2');
    assert.equal(done, asked);
  }
});

test('a renewal that brings less than half of the first lease means that the end is near', async () => {
  const { clock, done, source } = tokens({ grants: [lease('t1', 30), lease('t2', 30)], renewal: { seconds: 14 } });
  await source.get();
  await clock.advance(25 * SECOND);
  assert.is(await source.get(), 't2');
  assert.is(done.length, 3);
});

test('a token that never ends is never renewed', async () => {
  const { clock, done, source } = tokens({ grants: [lease('t1', undefined)] });
  await source.get();
  await clock.advance(1_000_000 * SECOND);
  assert.is(await source.get(), 't1');
  assert.is(done.length, 1);
});

test('another credential means another login at once', async () => {
  const { done, state, source } = tokens({ grants: [lease('t1', 30), lease('t2', 30)] });
  await source.get();
  state.credential = 'b';
  assert.is(await source.get(), 't2');
  assert.equal(done, ['login a', 'login b']);
});

test('a refused token is replaced once, by the first request that reports it', async () => {
  const { done, source } = tokens({ grants: [lease('t1', 30), lease('t2', 30)] });
  await source.get();
  assert.equal(await Promise.all([source.instead('t1'), source.instead('t1')]), ['t2', 't2']);
  assert.is(await source.instead('t1'), 't2');
  assert.is(done.length, 2);
});

test('a login that failed is made again for the next request', async () => {
  const { state, source } = tokens({ grants: [lease('t1', 30)] });
  state.failing = true;
  const failed = await Promise.allSettled([source.get(), source.get()]);
  assert.equal(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  state.failing = false;
  assert.is(await source.get(), 't1');
});

test.run();
