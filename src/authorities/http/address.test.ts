import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddressRefused, addressProblem, guardedLookup, refuseLiteral } from './address.ts';

const HOST = [
  '127.0.0.1',
  '127.8.9.1',
  '0.0.0.0',
  '0.1.2.3',
  '::1',
  '::',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:0:0',
  '64:ff9b::127.0.0.1',
];
const NODE_OR_CLOUD = [
  '169.254.169.254',
  '169.254.170.2',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  'fe80::1',
  'fe80::1%eth0',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '::ffff:100.100.100.200',
  '64:ff9b::6464:64c8',
  'fd00:ec2::254',
  'fd20:ce::254',
];
const FINE = ['10.0.0.1', '100.64.0.1', '192.0.2.1', '2001:db8::1', 'fd12::1', '64:ff9b::c000:201'];

test('what an address is', () => {
  for (const address of HOST) {
    assert.match(addressProblem(address, false) ?? '', 'this host itself', address);
    assert.is(addressProblem(address, true), undefined, address);
  }
  for (const address of NODE_OR_CLOUD)
    for (const allowLoopback of [true, false]) assert.ok(addressProblem(address, allowLoopback), address);
  for (const address of FINE) assert.is(addressProblem(address, false), undefined, address);
});

test('an address in a URL is known in every way to write it', () => {
  for (const host of [
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '[::1]',
    '[0:0::0:1]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7F00:1]',
    '[::127.0.0.1]',
    '0xa9fea9fe',
    '169.254.43518',
    '[::ffff:169.254.169.254]',
  ])
    assert.throws(
      () => refuseLiteral(new URL(`https://${host}`).hostname, false),
      (error: unknown) => error instanceof AddressRefused,
      host,
    );
  for (const host of ['ca.example.com', '10.0.0.1', '[2001:db8::1]'])
    refuseLiteral(new URL(`https://${host}`).hostname, false);
});

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
    guardedLookup(false, lane)('ca.example', { all }, (error, found) =>
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

test('names that nobody answers for hold up nobody but their own namespace', async () => {
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
