import { hasSigned, membersInNeed, type Scene } from './blockers.ts';
import { pass } from './gates.ts';
import type { Generation } from './generation.ts';
import { type Plan, planFor } from './plan-types.ts';

/** The next step of generations that are to be removed, one after the other. */
export function leave(candidates: readonly Generation[], scene: Omit<Scene, 'move'>): Plan {
  const { rotation, now } = scene;
  const retired = (generation: Generation): Scene => ({ ...scene, move: { generation, to: 'Retired' } });
  const isUsed = (each: Generation) => membersInNeed(retired(each)).some(({ until }) => until > now);
  // One that never signed delays no certificate, and goes first.
  const unused = candidates.find((each) => !hasSigned(each, rotation.generations));
  const leaving = unused ?? candidates.find((each) => !isUsed(each)) ?? candidates[0];
  if (leaving === undefined) return planFor({ do: 'settle', recheckAt: undefined });
  const step = { do: 'retire', generation: leaving } as const;
  return unused === undefined || rotation.terms.isPaused ? pass(retired(leaving), step) : planFor(step);
}
