import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW } from '../../test/pki/make.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { TenantBounds } from './tenant-bounds.ts';

const MIB = 1_048_576;
const pem = (bytes: number) => [{ pem: 'a'.repeat(bytes) }];
const codeOf = (work: () => unknown) => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('a namespace reads one endpoint after the other, apart, and delays no other namespace', async () => {
  const clock = new FakeClock(NOW);
  const bounds = new TenantBounds(clock);
  const read: string[] = [];
  const asked = ['a', 'a', 'b'].map((namespace, index) =>
    bounds.inTurn(namespace, async () => void read.push(`${namespace}${index}`)),
  );
  await Promise.all([asked[0], asked[2]]);
  await clock.advance(249);
  assert.equal(read, ['a0', 'b2']);
  await clock.advance(1);
  await asked[1];
  assert.equal(read, ['a0', 'b2', 'a1']);
});

test('a read that fails gives the turn on, and a thousand that wait are the most', async () => {
  const clock = new FakeClock(NOW);
  const bounds = new TenantBounds(clock);
  const failing = bounds.inTurn('a', () => Promise.reject(new Error('no')));
  assert.is(await failing.catch(({ message }) => message), 'no');
  const waiting = Array.from({ length: 1_001 }, () => bounds.inTurn('a', async () => 'read').catch(({ code }) => code));
  assert.is(await waiting[1_000], 'NamespaceFull');
  await clock.advance(250);
  assert.is(await waiting[0], 'read');
});

test('a text is parsed the later the more was parsed before it, and waits for no endpoint', async () => {
  const clock = new FakeClock(NOW);
  const bounds = new TenantBounds(clock);
  void bounds.inTurn('a', () => new Promise(() => {}));
  const parsed: string[] = [];
  const large = bounds.inTurnOfTexts('a', 100_000, () => parsed.push('large'));
  const small = bounds.inTurnOfTexts('a', 1_000, () => parsed.push('small'));
  await bounds.inTurnOfTexts('b', 1_000, () => parsed.push('other'));
  await large;
  await clock.advance(249);
  assert.equal(parsed, ['large', 'other']);
  await clock.advance(1);
  await small;
  assert.is(parsed.length, 3);
});

test('the bundles of a namespace have 2 MiB together, and what is released or replaced makes room', () => {
  const bounds = new TenantBounds(new FakeClock(NOW));
  const [one, two] = [{}, {}];
  bounds.admit('a', one, pem(MIB));
  bounds.admit('a', two, pem(MIB));
  assert.is(
    codeOf(() => bounds.admit('a', two, pem(MIB + 1))),
    'NamespaceFull',
  );
  assert.is(
    codeOf(() => bounds.admit('b', two, pem(MIB + 1))),
    undefined,
  );
  bounds.admit('a', one, pem(MIB - 1));
  bounds.admit('a', two, pem(MIB + 1));
  bounds.release('a', two);
  assert.is(
    codeOf(() => bounds.admit('a', one, pem(2 * MIB))),
    undefined,
  );
});

test.run();
