/** What Certwheel puts into key stores and trust stores comes out of the readers that programs use, byte by byte. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../../e2e/support/lazily.ts';
import { ALL_KEYS, describe, root } from '../make.ts';
import { startReaders } from './readers/readers.ts';
import { disagreement, isFor, KINDS, keyEntry, keyStore, type MadeStore, trustStore } from './stores.ts';

const PASSWORD = 'changeit';
const ALIAS = 'Größe ΑΣ 世界';

const readers = lazily(startReaders);
test.after(readers.stop);

async function agreeingReaders(store: MadeStore): Promise<readonly string[]> {
  const { all } = await readers.get();
  const asked = all.filter((reader) => isFor(reader, store));
  const disagreements = await Promise.all(asked.map((reader) => disagreement(reader, store)));
  assert.equal(disagreements.filter(Boolean), []);
  return asked.map(({ name }) => name);
}

test('a key of each kind and its chain come out of every reader', async () => {
  for (const spec of ALL_KEYS.filter(({ algorithm }) => algorithm !== 'Ed25519'))
    for (const kind of KINDS) {
      const store = await keyStore(kind, { ...(await keyEntry(spec, 2)), alias: ALIAS }, PASSWORD);
      const names = await agreeingReaders(store);
      console.log(`# ${describe(spec)}, ${kind}: ${names.join(', ')}`);
    }
});

test('an Ed25519 key comes out of every reader but Java 11, which knows none', async () => {
  const entry = { ...(await keyEntry({ algorithm: 'Ed25519' }, 1)), alias: ALIAS };
  for (const kind of KINDS) {
    const store = await keyStore(kind, entry, PASSWORD);
    const asked = (await readers.get()).all.filter((reader) => isFor(reader, store));
    const disagreeing = [];
    for (const reader of asked) if (await disagreement(reader, store)) disagreeing.push(reader.name);
    assert.is(disagreeing.length, 1, disagreeing.join());
    assert.match(disagreeing[0] ?? '', /^Java 11\./);
  }
});

test('a trust store holds each certificate as a trusted entry, even where subjects are the same', async () => {
  const cas = [await root(), await root(), await root({ commonName: 'Another CA' })];
  const all = cas.map(({ certificate }) => certificate.der);
  for (const kind of KINDS)
    for (const certificates of [all, all.slice(0, 1)])
      await agreeingReaders(await trustStore(kind, certificates, PASSWORD));
});

test('a wrong password and a damaged store are refused by every reader', async () => {
  const entry = { ...(await keyEntry({ algorithm: 'ECDSA', size: 256 }, 1)), alias: ALIAS };
  for (const kind of KINDS)
    for (const store of [await keyStore(kind, entry, PASSWORD), await trustStore(kind, entry.chain, PASSWORD)]) {
      const damaged = Buffer.from(store.bytes);
      const middle = damaged.length >> 1;
      damaged[middle] = (damaged[middle] ?? 0) ^ 1;
      for (const reader of (await readers.get()).all.filter((each) => isFor(each, store)))
        for (const wrong of [{ password: 'Changeit' }, { password: 'changeit ' }, { bytes: damaged }]) {
          const found = await reader.read({ ...store, ...wrong });
          assert.ok('refusal' in found, `${reader.name} read a ${kind} store with ${Object.keys(wrong)}`);
        }
    }
});

test('openssl reads LegacyRC2 with -legacy alone, and the other profiles without it', async () => {
  const store = await keyStore(
    'LegacyRC2',
    { ...(await keyEntry({ algorithm: 'ECDSA', size: 256 }, 1)), alias: ALIAS },
    PASSWORD,
  );
  const plain = (await readers.get()).all.find(({ name }) => name === 'openssl');
  const found = await plain?.read(store);
  assert.ok(found !== undefined && 'refusal' in found && /RC2/.test(found.refusal), JSON.stringify(found));
});

test.run();
