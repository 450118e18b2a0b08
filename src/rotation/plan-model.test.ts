import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, SECOND } from '../../test/unit/builders.ts';
import { cas, crossSignedCas, renewedCas } from '../../test/unit/rotation-cas.ts';
import { RotationInvariants } from '../../test/unit/rotation-invariants.ts';
import type { RotationMember } from '../../test/unit/rotation-member.ts';
import { LONGEST_LIFE_S } from '../../test/unit/rotation-member.ts';
import { PROPAGATION_S } from '../../test/unit/rotation-workload.ts';
import { DEADLINE_S, REFUSALS, REISSUE, RotationWorld } from '../../test/unit/rotation-world.ts';
import { type CaPair, isSameCa } from '../pki/ca.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);
/** So many for each test. */
const RUNS = Number(process.env.RUNS ?? 70);

/** How long the re-issue of all takes: they come one by one, and may be slowed down after many changes. */
const REISSUE_S = (4 * REISSUE.perMs) / 1_000 + 30;
/** Where too many fail, the others come when they are due: at half of their life. */
const STOPPED_S = LONGEST_LIFE_S / 2 + 30;

type Action = (world: RotationWorld, number: number) => unknown;

/** Does something to one of the members. */
function ofMember(change: (member: RotationMember, world: RotationWorld, number: number) => void): Action {
  return (world, number) => {
    const member = world.members[number % world.members.length];
    if (member === undefined || member.isGone) return;
    change(member, world, number);
    world.changed(member);
  };
}

const ACTIONS = {
  look: (world) => world.look(),
  reconcile: (world, which) => world.reconcile(world.members[which % world.members.length] as RotationMember),
  load: (world, which) => world.members[which % world.members.length]?.workload.loadNow(),
  pass: (world, seconds) => world.pass(1 + seconds),
  swap: (world, which) => {
    world.wanted = world.cas[which % world.cas.length];
  },
  unreadable: (world) => {
    world.wanted = undefined;
  },
  renew: ofMember((member, { now }) => {
    member.resource = { ...member.resource, renewAt: now };
  }),
  suspend: ofMember((member) => {
    const { spec } = member.resource;
    member.resource = { ...member.resource, spec: { ...spec, suspended: !spec.suspended } };
  }),
  refuse: ofMember((member, world, number) => {
    if (!world.refused.delete(member)) world.refused.set(member, REFUSALS[number % REFUSALS.length] ?? 'limits');
    world.rulesChanged();
  }),
  forbid: ofMember((member) => {
    member.isUnwritable = !member.isUnwritable;
  }),
  break: ofMember((member) => {
    member.isBroken = !member.isBroken;
  }),
  tear: ofMember((member, { now }) => member.lose('tls.key is missing', now)),
  delete: ofMember((member, { now }) => member.lose(undefined, now)),
  strip: ofMember((member, { now }) => member.strip(now)),
  leave: ofMember((member) => {
    if (member.resource.deleting === undefined) member.resource = { ...member.resource, deleting: ['a/finalizer'] };
    else member.isGone = true;
  }),
  join: (world) => world.join(),
  crash: (world) => world.crash(),
  damage: (world, which) => {
    const generation = world.generations[which % world.generations.length];
    if (generation !== undefined) world.secrets.damage(generation);
  },
  die: (world) => {
    world.isDying = true;
  },
  restore: (world, which) => world.secrets.restore(which),
  copy: (world, which) => world.secrets.copy(which, world.now),
  plant: (world, which) => world.secrets.plant(which, world.now),
  wipe: (world) => {
    world.secrets.reported = [];
  },
  tidy: (world) => world.secrets.tidy(),
  rollback: (world, which) => {
    world.terms = { ...world.terms, rollback: world.generations[which % world.generations.length]?.version };
  },
  pause: (world) => {
    world.terms = { ...world.terms, isPaused: !world.terms.isPaused };
  },
  manual: (world) => {
    world.terms = { ...world.terms, isManual: !world.terms.isManual };
  },
  advance: (world, which) => {
    const { version = 1 } = world.generations[which % world.generations.length] ?? {};
    world.terms = { ...world.terms, advance: { version, to: which % 2 === 0 ? 'Active' : 'Retired' } };
  },
} satisfies Record<string, Action>;

type Verb = keyof typeof ACTIONS;
type Weights = Partial<Record<Verb, number>>;

/** What happens, and how often compared to the rest. */
const EVERYDAY: Weights = { look: 8, reconcile: 5, renew: 1, load: 4, pass: 8, swap: 2 };
const HINDERED: Weights = { suspend: 1, refuse: 1, forbid: 1, break: 1 };

function happenings(weights: Weights) {
  const verbs = Object.entries(weights).map(([verb, weight]) => ({ weight, arbitrary: fc.constant(verb as Verb) }));
  const action = fc.tuple(fc.oneof(...verbs), fc.nat({ max: 23 }));
  return fc.array(action, { minLength: 40, maxLength: 120, size: 'max' });
}

async function check(weights: Weights, swapped = cas): Promise<void> {
  const property = fc.asyncProperty(
    happenings(weights),
    fc.nat({ max: swapped.length - 1 }),
    async (actions, wanted) => {
      const world = await RotationWorld.begin(swapped, new RotationInvariants().check);
      for (const [verb, number] of actions) await (ACTIONS[verb] as Action)(world, number);
      await endsWith(world, swapped[wanted] as CaPair);
    },
  );
  await fc.assert(property, { numRuns: RUNS, seed, includeErrorInReport: true });
}

/** Whether the controller may write the Secret, and issue its certificate. */
function isServed(member: RotationMember, { refused }: RotationWorld): boolean {
  const { spec, deleting } = member.resource;
  const isIssuable = !spec.suspended && deleting === undefined && !refused.has(member);
  return isIssuable && member.hasResource && !member.isUnwritable;
}

/** From now on no CA is swapped in, each member stays as it is, and the controller runs. */
async function endsWith(world: RotationWorld, last: CaPair): Promise<void> {
  world.terms = {};
  world.isDying = false;
  await world.look();
  // One that was rolled back is held off.
  const isHeld = world.generations.some(({ rejects, state, path }) => {
    return rejects.includes(last.id) || (state === 'RolledBack' && path.id === last.id);
  });
  const wanted = (isHeld && world.cas.find(({ id }) => id === world.signing?.id)) || last;
  world.wanted = wanted;
  // The next moment that `pass` sees.
  world.wakeAt = after(SECOND, world.now);
  const stepsBefore = world.steps;
  const leaving = world.generations.length;
  const signsBy = after((DEADLINE_S + 2 * PROPAGATION_S) * SECOND, world.now);
  while (world.signing?.id !== wanted.id && world.now < signsBy) await world.pass(1, true);
  assert.is(world.signing?.certificate.subjectText, wanted.certificate.subjectText, 'signs by its deadline');
  const failing = world.members.filter((each) => each.hasResource && !each.isWritable).length;
  await world.pass(failing < REISSUE.maxFailures ? REISSUE_S : STOPPED_S, true);
  for (const each of world.members.filter((member) => isServed(member, world))) {
    const { ca } = each.stored ?? {};
    // What a CA signed before its certificate was renewed under its key is not re-issued.
    assert.ok(ca !== undefined && isSameCa(ca, wanted), `${each.key} is re-issued by the CA that signs`);
    assert.ok(each.isMarked, `the annotations of ${each.key} are mended`);
  }
  // CAs leave one after the other, each once workloads had time to load what needs it no more.
  await world.pass(LONGEST_LIFE_S + (1 + leaving) * 2 * PROPAGATION_S, true);
  const left = world.generations.map(({ state, path }) => `${state} ${path.certificate.subjectText}`);
  assert.equal(left, [`Active ${wanted.certificate.subjectText}`]);
  assert.is(world.signing?.id, wanted.id);
  const repairs = world.members.map((each) => each.repairs);
  const stepsTaken = world.steps - stepsBefore;
  await world.pass(DEADLINE_S, true);
  // Each CA that leaves is moved and removed, and the marks of the others are written anew.
  assert.ok(stepsTaken <= 4 * (leaving + 2), `${stepsTaken} steps for ${leaving} CAs until it settled`);
  assert.is(world.steps - stepsBefore, stepsTaken, 'no step is left');
  assert.equal(
    world.members.map((each) => each.repairs),
    repairs,
    'no Secret is left to be written',
  );
  for (const { key, isWritable, stored } of world.members) {
    if (!isWritable || stored === undefined || stored.end <= world.now) continue;
    assert.is(stored.ca.id, wanted.id, `${key} has a certificate of the CA that signs`);
    assert.equal(stored.roots, [wanted.anchor], `${key} trusts that CA alone`);
  }
}

test('after any swaps of the CA every workload accepts every other, and one CA is left', () =>
  check({ ...EVERYDAY, unreadable: 1, join: 1 }));

test('a CA that is renewed under its key breaks no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, unreadable: 1, join: 1, crash: 1 }, renewedCas));

test('a CA that is renewed under its key between swaps for others breaks no handshake', () =>
  check({ ...EVERYDAY, unreadable: 1, join: 1, crash: 1 }, [...renewedCas, ...cas.slice(1, 3)]));

test('another root above the same CA breaks no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, unreadable: 1, join: 1, crash: 1 }, crossSignedCas));

test('suspended, refused, unwritable and broken members hold up no CA beyond its deadline', () =>
  check({ ...EVERYDAY, ...HINDERED, join: 1, leave: 1 }));

test('members whose Secrets are torn, deleted or stripped of annotations hold up no CA', () =>
  check({ ...EVERYDAY, ...HINDERED, tear: 1, delete: 1, strip: 1 }));

test('a crash of the controller at any moment breaks no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, crash: 2 }));

test('lost marks of CA generations break no handshake', () =>
  check({ ...EVERYDAY, unreadable: 1, crash: 1, damage: 1 }));

test('a process that ends between any two writes breaks no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, die: 3, crash: 1 }));

test('a CA generation that a backup or a replicator brings is not trusted, also while the status is lost', () =>
  check({ ...EVERYDAY, restore: 3, copy: 2, plant: 2, wipe: 1, tidy: 1, die: 1 }));

test('a foreign CA generation is not trusted where marks are lost too, as long as the status is there', () =>
  check({ ...EVERYDAY, ...HINDERED, restore: 2, copy: 2, plant: 2, tidy: 1, damage: 1 }));

test('a CA that is rolled back at any moment breaks no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, rollback: 2, crash: 1, die: 1 }));

test('a pause at any moment, and a rotation that is asked for each step, break no handshake', () =>
  check({ ...EVERYDAY, ...HINDERED, pause: 2, manual: 1, advance: 3, crash: 1 }));

test.run();
