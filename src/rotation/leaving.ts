import { hasSigned, isNeeded, type Scene } from './blockers.ts';
import { pass } from './gates.ts';
import { canSign, type Generation, mayHaveSigned } from './generation.ts';
import { type Plan, planFor } from './plan-types.ts';

type Around = Omit<Scene, 'move'>;

/** Whether a certificate is held that would be refused without it. */
function isInUse(generation: Generation, scene: Around): boolean {
  return isNeeded({ ...scene, move: { generation, to: 'Retired' } });
}

/**
 * Whether certificates of it are held though it was never Active: where another machine decides which CA signs, one is
 * published early if its Secret holds no other, or the former one ends. It needs its verifiers, whatever that machine states now.
 */
export function isUsedEarly(generation: Generation, scene: Around): boolean {
  return !mayHaveSigned(generation) && !canSign(generation) && isInUse(generation, scene);
}

/** The next step of generations that are to be removed, one after the other. */
export function leave(candidates: readonly Generation[], scene: Around): Plan {
  const { rotation } = scene;
  const retired = (generation: Generation): Scene => ({ ...scene, move: { generation, to: 'Retired' } });
  const isUsed = (each: Generation) => isInUse(each, scene);
  // One that never signed delays no certificate, and goes first.
  const unused = candidates.find((each) => !hasSigned(each, rotation.generations) && !isUsedEarly(each, scene));
  const leaving = unused ?? candidates.find((each) => !isUsed(each)) ?? candidates[0];
  if (leaving === undefined) return planFor({ do: 'settle', recheckAt: undefined });
  const step = { do: 'retire', generation: leaving } as const;
  return unused === undefined || rotation.terms.isPaused ? pass(retired(leaving), step) : planFor(step);
}
