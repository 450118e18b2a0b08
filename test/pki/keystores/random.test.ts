/** Random passwords, aliases, keys and chains. CHAINS_SEED runs the same again, CHAINS_COUNT says how many. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../../e2e/support/lazily.ts';
import { ALL_KEYS, root } from '../make.ts';
import { numberFrom, repeatCommand, seedOfRun } from '../repeat.ts';
import { startReaders } from './readers/readers.ts';
import { disagreement, isFor, KINDS, keyEntry, keyStore, type MadeStore, trustStore } from './stores.ts';

const seed = seedOfRun();
const numRuns = numberFrom('CHAINS_COUNT') ?? 40;

const readers = lazily(startReaders);
test.after(readers.stop);

const passwords = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1 }),
  // Around the blocks of the hashes, and the most that is possible.
  fc.constantFrom(30, 31, 32, 63, 64, 65, 127, 128, 1023).map((length) => 'p'.repeat(length)),
);
// Without a final sigma: Java and JavaScript disagree about its lower case behind letters that have no case.
const aliases = fc.string({
  unit: fc.constantFrom(...'aB1 .-_:/\\"\'éÜßİıΩΔЖ世界अกאع'),
  minLength: 1,
  maxLength: 40,
});
const requests = fc.record({
  kind: fc.constantFrom(...KINDS),
  // Not of Ed25519, which Java 11 lacks; see readers.test.ts.
  spec: fc.constantFrom(...ALL_KEYS.filter(({ algorithm }) => algorithm !== 'Ed25519')),
  intermediates: fc.nat(3),
  roots: fc.integer({ min: 1, max: 12 }),
  password: passwords,
  alias: aliases,
});

test('whatever the password, the alias, the key and the chain, every reader finds what was put in', async () => {
  const { all } = await readers.get();
  const check = async (store: MadeStore) => {
    const asked = all.filter((reader) => isFor(reader, store));
    const found = await Promise.all(asked.map((reader) => disagreement(reader, store)));
    // fast-check's report has the request alone.
    for (const each of found) if (each !== undefined) console.log(each);
    assert.equal(found.filter(Boolean), [], repeatCommand('test/pki/keystores/random.test.ts', seed));
  };
  console.log(`# CHAINS_SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(requests, async ({ kind, spec, intermediates, roots, password, alias }) => {
      await check(await keyStore(kind, { ...(await keyEntry(spec, intermediates)), alias }, password));
      const cas = await Promise.all(Array.from({ length: roots }, () => root()));
      await check(
        await trustStore(
          kind,
          cas.map(({ certificate }) => certificate.der),
          password,
        ),
      );
    }),
    { seed, numRuns },
  );
});

test.run();
