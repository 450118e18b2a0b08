/** Addresses that a name resolves to. */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddressRefused, type AddressRules, guardedLookup } from './address.ts';

const NOT_HERE: AddressRules = { loopback: false };

/** Replaces the resolver of this process; each answer is given once. */
async function resolving(answers: readonly (readonly string[])[], use: () => Promise<void>): Promise<void> {
  const real = dns.lookup;
  const left = [...answers];
  const fake = (_name: string, _options: unknown, callback: (error: null, found: unknown) => void) =>
    callback(
      null,
      (left.shift() ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  dns.lookup = fake as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
  try {
    await use();
  } finally {
    dns.lookup = real;
    syncBuiltinESMExports();
  }
}

function look(all: boolean, lane = 'ns'): Promise<unknown> {
  return new Promise((resolve, reject) =>
    guardedLookup(NOT_HERE, lane)('ca.example', { all }, (error, found) =>
      error === null ? resolve(found) : reject(error),
    ),
  );
}

test('a name that leads to a good address and to a bad one leads nowhere', () =>
  resolving([['192.0.2.1', '127.0.0.1'], ['2001:db8::1', '::ffff:169.254.169.254'], ['192.0.2.1']], async () => {
    for (const all of [true, false]) {
      const error = await look(all).catch((thrown: unknown) => thrown);
      assert.instance(error, AddressRefused);
    }
    assert.is(await look(false), '192.0.2.1');
  }));

test('a name is judged anew for each connection, so that it gains nothing by another answer', () =>
  resolving([['192.0.2.1'], ['169.254.169.254'], []], async () => {
    assert.equal(await look(true), [{ address: '192.0.2.1', family: 4 }]);
    assert.instance(await look(true).catch((thrown: unknown) => thrown), AddressRefused);
    assert.match(String(await look(false).catch((thrown: unknown) => thrown)), 'no address');
  }));

test('names whose servers never answer delay their own namespace alone', async () => {
  const real = dns.lookup;
  const held: (() => void)[] = [];
  let begun = 0;
  type Found = (error: null, found: readonly { address: string; family: number }[]) => void;
  const fake = (_name: string, _options: unknown, callback: Found) => {
    begun += 1;
    const answer = () => callback(null, [{ address: '192.0.2.1', family: 4 }]);
    if (begun === 1) held.push(answer);
    else answer();
  };
  dns.lookup = fake as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
  try {
    const slow = Array.from({ length: 40 }, () => look(false, 'slow').catch((error: { code?: string }) => error.code));
    for (let time = 0; time < 10; time++) assert.is(await look(false, 'quick'), '192.0.2.1');
    assert.is(begun, 11);
    held[0]?.();
    const outcomes = await Promise.all(slow);
    assert.is(outcomes.filter((each) => each === '192.0.2.1').length, 33);
    assert.is(outcomes.filter((each) => each === 'EAI_AGAIN').length, 7);
  } finally {
    dns.lookup = real;
    syncBuiltinESMExports();
  }
});

test.run();
