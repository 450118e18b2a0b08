import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import type { CAGeneration } from '../api/generated/types.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Generation } from './generation.ts';
import type { GenerationSecret } from './generation-secret.ts';
import type { Member } from './plan-types.ts';
import { provenanceOf } from './provenance.ts';

const [one, two, three] = await Promise.all(
  ['one', 'two', 'three'].map(async (commonName) => pairOf(await root({ commonName }))),
);
if (one === undefined || two === undefined || three === undefined) throw new Error('no CA was made');

/** What wrote its mark: nothing, this authority, the one that was there before a restore, or one of another namespace. */
type Marked = 'unmarked' | 'whole' | 'restored' | 'copied';

function kept(
  version: number,
  pair: CaPair,
  marked: Marked,
  { vouches = [], ...change }: Partial<Generation> & { readonly vouches?: readonly string[] } = {},
): GenerationSecret {
  const generation = aGeneration(version, 'Active', pair, { mark: marked === 'whole' ? 'whole' : 'none', ...change });
  const own = marked === 'unmarked' ? [] : [marked === 'whole' ? generation.secret.uid : 'uid-before'];
  const namespace = marked === 'unmarked' ? undefined : marked === 'copied' ? 'elsewhere' : 'ns';
  return generationSecret(generation, { mark: { uids: [...own, ...vouches], namespace } });
}

function reported(...versions: readonly (readonly [number, CAGeneration['state']])[]) {
  return versions.map(([version, state]) => ({ version, state }));
}

function holderOf(pair: CaPair, notAfter = hoursFromNow(1)): Member {
  const issuerFingerprint = pair.certificate.fingerprintSHA256;
  return {
    key: 'ns/a',
    namespace: 'ns',
    issuerFingerprint,
    anchorFingerprints: [],
    trustBundleHash: 'bundle',
    notAfter,
  };
}

interface Given {
  readonly reported?: ReturnType<typeof reported>;
  readonly members?: readonly Member[];
}

/** The versions that are trusted, and those that are reported as foreign. */
async function sorted(stored: readonly GenerationSecret[], given: Given = {}) {
  const evidence = { reported: given.reported ?? [], members: () => given.members ?? [] };
  const { own, foreign, generations } = await provenanceOf(stored, evidence, NOW);
  assert.equal(
    generations.map(({ version }) => version),
    own.map(({ version }) => version),
  );
  return { own: own.map(({ version }) => version), foreign: foreign.map(({ version }) => version) };
}

test('beside a generation whose mark is whole, nothing is trusted that no mark names', async () => {
  for (const marked of ['unmarked', 'restored', 'copied'] as const)
    for (const members of [[], [holderOf(two)]])
      assert.equal(await sorted([kept(1, one, 'whole'), kept(2, two, marked)], { members }), {
        own: [1],
        foreign: [2],
      });
});

test('a status decides nothing about a generation whose mark is whole', async () => {
  const stored = [kept(3, one, 'whole')];
  assert.equal(await sorted(stored, { reported: reported([3, 'Retired'], [1_000_000, 'Active']) }), {
    own: [3],
    foreign: [],
  });
});

test('a generation that lost its mark is trusted as long as the mark of another names it', async () => {
  const stored = [kept(1, one, 'unmarked'), kept(2, two, 'whole', { vouches: ['uid-1'] })];
  assert.equal(await sorted(stored), { own: [1, 2], foreign: [] });
  const overwritten = [kept(1, one, 'copied'), kept(2, two, 'whole', { vouches: ['uid-1'] })];
  assert.equal(await sorted(overwritten), { own: [1, 2], foreign: [] });
  const restored = [
    kept(1, one, 'restored', { vouches: ['uid-3'] }),
    kept(2, two, 'whole'),
    kept(3, three, 'unmarked'),
  ];
  assert.equal(await sorted(restored), { own: [2], foreign: [1, 3] }, 'a mark that is not whole vouches for none');
});

test('where no mark is whole, what an earlier version wrote and what was restored is adopted', async () => {
  assert.equal(await sorted([kept(1, one, 'unmarked'), kept(2, two, 'unmarked')]), { own: [1, 2], foreign: [] });
  assert.equal(await sorted([kept(1, one, 'restored'), kept(2, two, 'restored')]), { own: [1, 2], foreign: [] });
});

test('a generation that the status lists as retired, or no longer lists, is not adopted; nor is a copy from another namespace', async () => {
  const stored = [kept(1, one, 'unmarked'), kept(2, two, 'restored'), kept(3, three, 'copied')];
  assert.equal(await sorted(stored, { reported: reported([2, 'Active'], [1, 'Retired']) }), {
    own: [2],
    foreign: [1, 3],
  });
  assert.equal(await sorted(stored, { reported: reported([2, 'Active']) }), { own: [2], foreign: [1, 3] });
  assert.equal(await sorted([kept(4, one, 'unmarked')], { reported: reported([3, 'Active']) }), {
    own: [4],
    foreign: [],
  });
});

test('where the status knows a generation to be in use, a stranger without a mark is not adopted, whatever its version', async () => {
  const status = [{ version: 2, state: 'Active' as const, fingerprintSHA256: one.certificate.fingerprintSHA256 }];
  for (const version of [1, 3, 1_000_000]) {
    const stored = [kept(2, one, 'unmarked'), kept(version, two, 'unmarked')];
    assert.equal(await sorted(stored, { reported: status }), { own: [2], foreign: [version] });
    assert.equal(await sorted(stored, { reported: status, members: [holderOf(two)] }), {
      own: [2, version],
      foreign: [],
    });
  }
});

test('another CA under the version of a generation is not adopted', async () => {
  const status = [{ version: 2, state: 'Active' as const, fingerprintSHA256: one.certificate.fingerprintSHA256 }];
  assert.equal(await sorted([kept(2, two, 'unmarked')], { reported: status }), { own: [], foreign: [2] });
});

test('valid certificates speak for no restored twin of a CA that is adopted anyway', async () => {
  const stored = [kept(1, one, 'restored'), kept(2, one, 'unmarked')];
  const given = { reported: reported([1, 'Retired'], [2, 'Active']), members: [holderOf(one)] };
  assert.equal(await sorted(stored, given), { own: [2], foreign: [1] });
});

test('a veto of a forged status, or a mark that a copier overwrote, takes no CA away of which valid certificates are held', async () => {
  const retired = { reported: reported([1, 'Retired']) };
  for (const stored of [[kept(1, one, 'unmarked')], [kept(1, one, 'copied')]]) {
    assert.equal(await sorted(stored, { ...retired, members: [holderOf(one)] }), { own: [1], foreign: [] });
    const expired = [holderOf(one, hoursFromNow(-1)), holderOf(two)];
    assert.equal(await sorted(stored, { ...retired, members: expired }), { own: [], foreign: [1] });
  }
});

test('a blank Secret is neither trusted nor reported', async () => {
  const blank = generationSecret(aGeneration(2, 'Active', two), { isBlank: true, generation: undefined });
  assert.equal(await sorted([kept(1, one, 'unmarked'), blank]), { own: [1], foreign: [] });
});

test('an adoption that ends after any of its writes goes on with the same generations, whatever appears meanwhile', async () => {
  const order = fc.shuffledSubarray([1, 2, 3], { minLength: 3, maxLength: 3 });
  const property = fc.asyncProperty(order, fc.nat({ max: 3 }), async (marking, writes) => {
    const pairs = [one, two, three];
    const adopted = [1, 2, 3].map((version) => `uid-${version}`);
    const stored = pairs.map((pair, index) => {
      const version = index + 1;
      const isWritten = marking.slice(0, writes).includes(version);
      return isWritten ? kept(version, pair, 'whole', { vouches: adopted }) : kept(version, pair, 'unmarked');
    });
    const late = writes === 0 ? [] : [kept(4, one, 'unmarked')];
    const { own, foreign } = await sorted([...stored, ...late]);
    assert.equal([own, foreign], [[1, 2, 3], late.map(({ version }) => version)]);
  });
  await fc.assert(property);
});

test('a Secret without a key that can not be filled is foreign, so that its version is skipped', async () => {
  const hollow = generationSecret(aGeneration(1, 'Active', one, { mark: 'none' }), {
    holdsKey: false,
    generation: undefined,
  });
  const { own, foreign } = await provenanceOf([hollow], { reported: [], members: () => [] }, NOW);
  assert.equal([own.length, foreign], [0, [hollow]]);
});

test.run();
