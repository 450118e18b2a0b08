import { toRfc3339 } from '../api/conditions.ts';
import type { CARotationStep } from '../api/generated/types.ts';
import { wholeSecondsUp } from '../api/moments.ts';
import { type Generation, holdsKey, isLeaving } from './generation.ts';
import type { Hold, Plan } from './plan-types.ts';

/** The states that a CA passes on its way, in their order. */
const WAY_IN = ['Pending', 'Prepared', 'Trusted', 'Active'] as const;
const LONGEST_WAIT = 2_048;

/** What is to come, for people: each step of the CA rotation under way, and what it waits for. */
export function previewOf(
  { next, hold }: Pick<Plan, 'next' | 'hold'>,
  generations: readonly Generation[],
  signing: Generation | undefined,
): CARotationStep[] {
  if (next === undefined) return [];
  const { generation, to } = next;
  const first: CARotationStep = { version: generation.version, to, ...(hold && waitOf(hold)) };
  if (to === 'Retired') return [first, ...leaving(generations, generation)];
  const after = WAY_IN.slice(WAY_IN.indexOf(to) + 1).map((state) => ({ version: generation.version, to: state }));
  const former = signing === undefined || signing === generation ? [] : [signing];
  const retiring = former.map(({ version }) => ({
    version,
    to: 'Retiring' as const,
    waitsFor: `generation ${generation.version} signs`,
  }));
  return [
    first,
    ...(after as CARotationStep[]),
    ...retiring,
    ...former.map(retired),
    ...leaving(generations, ...former),
  ];
}

function leaving(generations: readonly Generation[], ...known: readonly Generation[]): CARotationStep[] {
  return generations.filter((each) => isLeaving(each) && !known.includes(each)).map(retired);
}

function retired(generation: Generation): CARotationStep {
  const key = holdsKey(generation) ? ', and its key is deleted' : '';
  const waitsFor = `none of its certificates is left, and spec.caRotation.retireAfter has passed; then it leaves every ca.crt${key}`;
  return { version: generation.version, to: 'Retired', waitsFor };
}

/** So many are named. */
const NAMED = 5;

function waitOf({ reason, message, until, deadline, waitingFor }: Hold): Omit<CARotationStep, 'version' | 'to'> {
  const named = waitingFor.slice(0, NAMED).join(', ');
  const more = waitingFor.length > NAMED ? `, and ${waitingFor.length - NAMED} more` : '';
  const listed = reason === 'ReissueStopped' ? 'failing:' : 'not so for';
  const waitsFor = `${message}${named === '' ? '' : `; ${listed} ${named}${more}`}`.slice(0, LONGEST_WAIT);
  if (deadline !== undefined) return { reason, waitsFor, deadline: toRfc3339(wholeSecondsUp(deadline)) };
  return until === undefined ? { reason, waitsFor } : { reason, waitsFor, notBefore: toRfc3339(wholeSecondsUp(until)) };
}
