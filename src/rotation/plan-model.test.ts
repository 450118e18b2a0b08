import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cas, hashOf, World } from '../../test/unit/rotation-world.ts';
import type { CaPair } from '../pki/ca.ts';

type Verb =
  | 'look'
  | 'reconcile'
  | 'renew'
  | 'load'
  | 'pass'
  | 'swap'
  | 'unreadable'
  | 'crash'
  | 'damage'
  | 'die'
  | 'restore'
  | 'copy'
  | 'plant'
  | 'wipe'
  | 'tidy'
  | 'loseSigner';

const ACTIONS: Readonly<Record<Verb, (world: World, number: number) => unknown>> = {
  look: (world) => world.look(),
  reconcile: (world, which) => world.reconcile(which, false),
  renew: (world, which) => world.reconcile(which, true),
  load: (world, which) => world.load(which),
  pass: (world, seconds) => world.pass(1 + seconds),
  swap: (world, which) => {
    world.wanted = cas[which % cas.length];
  },
  unreadable: (world) => {
    world.wanted = undefined;
  },
  crash: (world) => world.crash(),
  damage: (world, which) => world.damage(which),
  die: (world) => {
    world.isDying = true;
  },
  restore: (world, which) => world.restore(which),
  copy: (world, which) => world.copy(which),
  plant: (world, which) => world.plant(which),
  wipe: (world) => {
    world.reported = [];
  },
  tidy: (world) => world.tidy(),
  loseSigner: (world, which) => world.loseSigner(which),
};

/** What happens, and how often compared to the rest. */
const EVERYDAY = { look: 8, reconcile: 4, renew: 2, load: 4, pass: 6, swap: 2 };

function happenings(weights: Partial<Record<Verb, number>>) {
  const verbs = Object.entries(weights).map(([verb, weight]) => ({ weight, arbitrary: fc.constant(verb as Verb) }));
  const action = fc.tuple(fc.oneof(...verbs), fc.nat({ max: 19 }));
  return fc.array(action, { minLength: 40, maxLength: 120, size: 'max' });
}

async function check(weights: Partial<Record<Verb, number>>, mostSteps = 20): Promise<void> {
  const property = fc.asyncProperty(happenings(weights), fc.nat({ max: 2 }), async (actions, wanted) => {
    const world = await World.begin();
    for (const [verb, number] of actions) {
      await ACTIONS[verb](world, number);
      world.check();
    }
    await endsWith(world, cas[wanted] as CaPair, mostSteps);
  });
  await fc.assert(property, { numRuns: 1_000 });
}

async function endsWith(world: World, wanted: CaPair, mostSteps: number): Promise<void> {
  world.wanted = wanted;
  const steps = await world.settle();
  assert.ok(steps <= mostSteps, `${steps} steps until it settled`);
  assert.is(await world.look(), false);
  const left = world.generations.map(({ state, path }) => `${state} ${path.certificate.subjectText}`);
  assert.equal(left, [`Active ${wanted.certificate.subjectText}`]);
  for (const { secret } of world.workloads) {
    assert.is(secret.issuer.certificate.subjectText, wanted.certificate.subjectText);
    assert.is(hashOf(secret.bundle), hashOf([wanted]));
  }
}

test('whatever is swapped in, when and how often, every workload accepts every other and one CA is left', () =>
  check({ ...EVERYDAY, unreadable: 1 }));

test('so it is with a controller that is killed at any moment', () => check({ ...EVERYDAY, crash: 2 }));

test('so it is where the marks of CA generations are taken off', () =>
  check({ ...EVERYDAY, unreadable: 1, crash: 1, damage: 1 }));

test('so it is with a process that ends between any two writes', () => check({ ...EVERYDAY, die: 3, crash: 1 }));

test('whatever a backup or a copier brings, also while the status is lost, only what was made here is trusted', () =>
  check({ ...EVERYDAY, restore: 3, copy: 2, plant: 2, wipe: 1, tidy: 1, die: 1 }));

test('so it is where marks are taken off besides, as long as the status is there', () =>
  check({ ...EVERYDAY, restore: 2, copy: 2, plant: 2, tidy: 1, damage: 1 }));

test('so it is where generations are left without a signer', () =>
  // Each loss of the wanted key leaves one more generation, which takes steps to mark and to leave.
  check({ ...EVERYDAY, unreadable: 1, crash: 1, damage: 1, loseSigner: 1 }, 100));

test.run();
