/** A CA generation whose key nothing here can sign with: it is trusted and counts for the plan, and never signs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { AuthorityWorld, another, stored } from '../../test/unit/authority-world.ts';
import { after, DAY, HOUR, MINUTE, NOW, RUN } from '../../test/unit/builders.ts';
import { opened, TERMS } from '../../test/unit/planned-rotation.ts';
import { rotationScene, stepText } from '../../test/unit/rotation-scene.ts';
import { reconcileAuthority } from '../authority/reconcile.ts';
import { viewAuthority } from '../authority/view.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { CaPath } from '../pki/ca.ts';
import { canSign, type Generation, signingGeneration } from './generation.ts';
import { generationManifest } from './generation-manifest.ts';
import { planRotation } from './plan.ts';
import type { Member } from './plan-types.ts';
import { readSource } from './source.ts';
import { tryStep } from './steps.ts';

type State = Generation['state'];

const generation = (version: number, state: State, ca: typeof stored, since = after(-DAY)) =>
  aGeneration(version, state, ca, { since });
const without = (version: number, state: State, ca = stored) => ({
  ...generation(version, state, ca),
  signer: undefined,
});

const hashOf = (trust: readonly CaPath[]) => bundleOf(trust.map(({ anchor }) => anchor)).hash;

function member(issuer: CaPath, trust: readonly CaPath[]): Member {
  return {
    key: 'ns/client',
    namespace: 'ns',
    issuerFingerprint: issuer.certificate.fingerprintSHA256,
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    trustBundleHash: hashOf(trust),
    notAfter: after(DAY),
  };
}

test('it never signs, and the next one that can does', () => {
  const lost = without(2, 'Active', another);
  assert.not.ok(canSign(lost));
  assert.is(signingGeneration([lost], NOW), undefined);
  const first = generation(1, 'Active', stored);
  assert.is(signingGeneration([first, lost], NOW), first);
});

interface Case {
  readonly generations: readonly Generation[];
  readonly wanted?: CaPath | undefined;
  readonly members?: readonly Member[];
  readonly clearSince?: ReadonlyMap<string, Date>;
  readonly step: string;
}

const both = [stored, another];
const CLEAR = (gate: string) => new Map([[gate, after(-HOUR)]]);

const PLANS: Readonly<Record<string, Case>> = {
  'alone, with the same CA and its key at hand: that becomes a generation of its own': {
    generations: [without(1, 'Active')],
    wanted: stored,
    step: 'create Pending',
  },
  'alone, with another CA at hand: that is trusted before it signs': {
    generations: [without(1, 'Active')],
    wanted: another,
    step: 'create Pending',
  },
  'alone, and held by a client: it is not made to sign': {
    generations: [without(1, 'Retiring')],
    wanted: another,
    members: [member(stored, [stored])],
    step: 'create Pending',
  },
  'alone, and no source to be read: all stays as it is': {
    generations: [without(1, 'Active')],
    members: [member(stored, [stored])],
    step: 'settle',
  },
  'prepared, and wanted: the same CA with its key is another generation': {
    generations: [generation(1, 'Active', stored), without(2, 'Prepared', another)],
    wanted: another,
    step: 'create Pending',
  },
  'one whose mark is lost: it is marked anew': {
    generations: [generation(2, 'Active', another), { ...without(1, 'Retiring'), mark: 'none' }],
    wanted: another,
    step: 'mark 1',
  },
  'the new CA waits for a client whose ca.crt lacks it': {
    generations: [without(1, 'Active'), generation(2, 'Prepared', another)],
    wanted: another,
    members: [member(stored, [stored])],
    step: 'settle',
  },
  'the new CA is trusted once all have loaded it': {
    generations: [without(1, 'Active'), generation(2, 'Prepared', another)],
    wanted: another,
    members: [member(stored, both)],
    clearSince: CLEAR('move 2'),
    step: 'move 2 Trusted',
  },
  'the new CA is trusted at once where no client holds anything': {
    generations: [without(1, 'Active'), generation(2, 'Prepared', another)],
    wanted: another,
    step: 'move 2 Trusted',
  },
  'still marked as active beside one that signs: it retires': {
    generations: [without(1, 'Active'), generation(2, 'Active', another)],
    wanted: another,
    members: [member(stored, both)],
    step: 'move 1 Retiring',
  },
  'retiring: it stays trusted while a client holds its certificate': {
    generations: [without(1, 'Retiring'), generation(2, 'Active', another)],
    wanted: another,
    members: [member(stored, both)],
    step: 'settle',
  },
  'retiring: it leaves with its last certificate': {
    generations: [without(1, 'Retiring'), generation(2, 'Active', another)],
    wanted: another,
    members: [member(another, both)],
    clearSince: CLEAR('retire 1'),
    step: 'retire 1',
  },
  'retiring beside the same CA with its key: its certificates are good under that one': {
    generations: [without(1, 'Retiring'), generation(2, 'Active', stored)],
    wanted: stored,
    members: [member(stored, [stored])],
    clearSince: CLEAR('retire 1'),
    step: 'retire 1',
  },
};

for (const [what, { generations, wanted, members = [], clearSince = new Map(), step }] of Object.entries(PLANS))
  test(`${what}: ${step}`, () => {
    const rotation = {
      generations: opened(generations, clearSince),
      members,
      wanted: wanted?.id,
      source: 'secret',
      trustBundleHash: hashOf(generations.map(({ path }) => path)),
      terms: { ...TERMS, propagationMs: MINUTE, progressDeadlineMs: DAY * 30 },
      proofs: () => [],
      longestLifeMs: undefined,
    };
    assert.is(stepText(planRotation(rotation, NOW).step), step);
  });

test('its source is asked for a successor of the latest that can sign', async () => {
  const { runtime, asked, deps } = rotationScene([generation(1, 'Active', stored), without(2, 'Active', another)]);
  await readSource(runtime, 3, deps, RUN);
  assert.equal(asked, [[stored, 3]]);
  const alone = rotationScene([without(1, 'Active')]);
  await readSource(alone.runtime, 2, alone.deps, RUN);
  assert.equal(alone.asked, [[undefined, 2]]);
});

test('certificates see that it is trusted, and that nothing signs', () => {
  const { runtime } = rotationScene([without(1, 'Active')]);
  const view = viewAuthority(runtime, [stored.anchor], undefined, NOW);
  assert.is(view.signing, undefined);
  assert.equal([...view.trust.anchors.keys()], [stored.anchor.fingerprintSHA256]);
  assert.equal([...view.generations.values()], [{ version: 1, signs: false }]);
});

test('its authority trusts it and is not ready, until another signs', async () => {
  const world = new AuthorityWorld();
  const lost = without(1, 'Active');
  world.generations.plant(lost, [lost.secret.uid]);
  world.members = [member(stored, [stored])];
  world.wanted = another;
  assert.equal(await reconcileAuthority('CertificateAuthority/ns/ca', world.deps, RUN), { do: 'again' });
  assert.is(world.condition('Ready'), 'False AuthorityNotReady');
  assert.ok(world.runtime?.view?.trust.anchors.has(stored.anchor.fingerprintSHA256));
  // The trust of both is written into its ca.crt.
  world.members = [member(stored, both)];
  await world.settle();
  assert.is(world.condition('Ready'), 'True Verified');
  assert.equal(
    world.generations.secrets().map(({ version, generation }) => [version, generation?.state]),
    [[2, 'Active']],
  );
});

test('no key is written for it, and none is said to be deleted with it', async () => {
  const lost = without(1, 'Retiring');
  const manifest = generationManifest({ kind: 'CertificateAuthority', name: 'ca' }, lost, lost.secret, []);
  assert.is(manifest.data['tls.key'], '');
  const { world, runtime, deps } = rotationScene([lost, generation(2, 'Active', another)]);
  const plan = { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] };
  const source = { pair: another, version: 3, trouble: undefined };
  await tryStep({ ...plan, step: { do: 'retire', generation: lost } }, source, runtime, deps, RUN);
  assert.ok(world.told.includes('generation 1 is no longer trusted'));
  assert.not.ok(world.told.includes('its key is deleted'));
});

test.run();
