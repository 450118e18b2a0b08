import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, NO_TRUST } from '../backend.ts';
import { loadedOnDemand } from './on-demand.ts';

const { signal } = new AbortController();

function backend(asked: string[]): Backend {
  return {
    check: async () => void asked.push('check'),
    trust: async () => NO_TRUST,
    issue: async ({ id }) => ({ ticket: id, pollAfterMs: 1, message: '' }),
    revoke: async ({ serialNumber }, reason) => void asked.push(`revoke ${serialNumber} ${reason}`),
    forget: async ({ id }) => void asked.push(`forget ${id}`),
  };
}

test('the code is loaded once, when something is asked', async () => {
  const asked: string[] = [];
  let loads = 0;
  const lazy = loadedOnDemand(
    async () => {
      loads += 1;
      return backend(asked);
    },
    { revoke: true, forget: true },
  );
  assert.is(loads, 0);
  await Promise.all([lazy.check(signal), lazy.trust(signal)]);
  await lazy.revoke?.({ serialNumber: '0a' }, 'superseded', signal);
  const request = { id: 'r1', requester: { namespace: 'n', name: 'c', uid: 'u' } };
  await lazy.forget?.(request, signal);
  assert.is(loads, 1);
  assert.equal(asked, ['check', 'revoke 0a superseded', 'forget r1']);
});

test('what it was not said to be able to do, it lacks', () => {
  const lazy = loadedOnDemand(async () => backend([]));
  assert.is(lazy.revoke, undefined);
  assert.is(lazy.forget, undefined);
});

test('what it can do with CAs that it chooses, and what it has started, is of the code that was loaded', async () => {
  const asked: string[] = [];
  const made: Backend = {
    ...backend(asked),
    tryToSign: async (ref) => void asked.push(`try ${ref}`),
    warning: () => 'the key is loose',
    close: () => void asked.push('close'),
  };
  const unused = loadedOnDemand(async () => made, { close: true });
  unused.close?.();
  assert.equal(asked, []);
  assert.is(unused.choosesCA, undefined);
  const lazy = loadedOnDemand(async () => made, { choosesCA: true, close: true });
  assert.is(lazy.warning?.(), undefined);
  assert.is(lazy.choosesCA, true);
  await lazy.tryToSign?.('k', signal);
  assert.is(lazy.warning?.(), 'the key is loose');
  lazy.close?.();
  await lazy.check(signal);
  assert.equal(asked, ['try k', 'close', 'check']);
});

test('a load that failed is tried again by the next question', async () => {
  let loads = 0;
  const lazy = loadedOnDemand(async () => {
    loads += 1;
    if (loads === 1) throw new Error('no such module');
    return backend([]);
  });
  assert.is(await lazy.check(signal).catch(({ message }) => message), 'no such module');
  await lazy.check(signal);
  assert.is(loads, 2);
});

test.run();
