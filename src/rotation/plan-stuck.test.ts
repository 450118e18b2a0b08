import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { TERMS } from '../../test/unit/planned-rotation.ts';
import { afterMove } from './after-step.ts';
import { type Generation, signingGeneration } from './generation.ts';
import { planRotation } from './plan.ts';
import type { Member, Step } from './plan-types.ts';

const notAfter = hoursFromNow(10_000);
const one = pairOf(await root({ commonName: 'one', notAfter }));
const two = pairOf(await root({ commonName: 'two', notAfter }));
const KINDS = ['movable', 'suspended', 'unwritable', 'forged'] as const;
const DEADLINE_HOURS = 24;
const LONGEST_LIFE_HOURS = 100;

/** `endsInHours` below 0 is a certificate that has expired; `lateHours` is when the controller reaches it. */
const members = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    endsInHours: fc.integer({ min: -5, max: LONGEST_LIFE_HOURS }),
    lateHours: fc.nat({ max: 12 }),
  }),
  { maxLength: 8 },
);

type Wish = { kind: (typeof KINDS)[number]; endsInHours: number; lateHours: number };
type State = Wish & { member: Member };

function start(wish: Wish, index: number): State {
  const issuerFingerprint = one.certificate.fingerprintSHA256;
  // Made by a thief of the old CA key.
  const end = hoursFromNow(wish.kind === 'forged' ? 9_000 : wish.endsInHours);
  return {
    ...wish,
    member: {
      key: `${index}`,
      namespace: 'ns',
      issuerFingerprint,
      anchorFingerprints: [issuerFingerprint],
      trustBundleHash: 'old',
      notAfter: end,
    },
  };
}

function made(version: number, state: Generation['state'], pair: typeof one): Generation {
  return aGeneration(version, state, pair, { since: hoursFromNow(0) });
}

/** What the controller does to a certificate: ca.crt of those that it may write, a new certificate for the movable. */
function reconcile({ kind, member, ...rest }: State, signing: Generation | undefined): State {
  if (kind === 'unwritable' || kind === 'forged') return { ...rest, kind, member };
  const trusting = { ...member, trustBundleHash: 'both' };
  if (kind === 'suspended' || signing?.version !== 2) return { ...rest, kind, member: trusting };
  const issuerFingerprint = two.certificate.fingerprintSHA256;
  const fresh = { issuerFingerprint, anchorFingerprints: [issuerFingerprint], notAfter: hoursFromNow(9_000) };
  return { ...rest, kind, member: { ...trusting, ...fresh } };
}

function checkStep(step: Step, states: readonly State[], hour: number): void {
  const valid = states.filter(({ member }) => (member.notAfter ?? hoursFromNow(0)) > hoursFromNow(hour));
  if (step.do === 'move' && step.to === 'Active')
    for (const { kind, member } of valid)
      assert.ok(
        kind === 'unwritable' || kind === 'forged' || member.trustBundleHash === 'both',
        `a ${kind} one lacks the new CA`,
      );
  if (step.do === 'retire')
    for (const { kind, member } of valid)
      assert.ok(
        kind === 'forged' || member.issuerFingerprint === two.certificate.fingerprintSHA256,
        `a ${kind} one needs the old CA`,
      );
}

/** When the new CA signs, and when the old one has left, in hours. */
function rotate(wishes: readonly Wish[], until: number) {
  let states = wishes.map(start);
  let generations = [made(1, 'Active', one), made(2, 'Prepared', two)];
  let signsAt: number | undefined;
  for (let hour = 0; hour <= until; hour++) {
    const now = hoursFromNow(hour);
    for (let taken = 0; taken < 5; taken++) {
      const rotation = {
        generations,
        source: 'secret',
        wanted: two.id,
        members: states.map(({ member }) => member),
        trustBundleHash: 'both',
        terms: { ...TERMS, propagationMs: HOUR, progressDeadlineMs: DEADLINE_HOURS * HOUR },
        proofs: () => [],
        longestLifeMs: LONGEST_LIFE_HOURS * HOUR,
      };
      const plan = planRotation(rotation, now);
      const { step } = plan;
      checkStep(step, states, hour);
      if (step.do === 'retire') return { signsAt, leavesAt: hour };
      if (step.do !== 'move' && step.do !== 'note') break;
      if (step.do === 'move' && step.to === 'Active') signsAt = hour;
      const stored = step.do === 'note' ? step.generation : afterMove(step, now);
      generations = generations.map((each) => (each.version === stored.version ? stored : each));
    }
    const signing = signingGeneration(generations, now);
    states = states.map((each) => (hour - (signsAt ?? 0) >= each.lateHours ? reconcile(each, signing) : each));
  }
  return { signsAt, leavesAt: undefined };
}

test('with any mix of members the new CA signs within the deadline, and the old one retires with its last certificate', () => {
  fc.assert(
    fc.property(members, (wishes) => {
      const latestSign = DEADLINE_HOURS + 2;
      const until = latestSign + LONGEST_LIFE_HOURS + 14;
      const { signsAt, leavesAt } = rotate(wishes, until);
      assert.ok(signsAt !== undefined && signsAt <= latestSign, `signs at ${signsAt}`);
      assert.ok(leavesAt !== undefined, 'it ends');
    }),
    { numRuns: 1_000, seed: 17 },
  );
});

test.run();
