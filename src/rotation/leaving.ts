import { earliest } from '../api/moments.ts';
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
  const leaving = (generation: Generation): Plan => {
    return pass({ ...scene, move: { generation, to: 'Retired' } }, { do: 'retire', generation });
  };
  // One that never signed delays no certificate, and goes first.
  const unused = candidates.find((each) => !hasSigned(each, rotation.generations) && !isUsedEarly(each, scene));
  if (unused !== undefined)
    return rotation.terms.isPaused ? leaving(unused) : planFor({ do: 'retire', generation: unused });
  const free = candidates.find((each) => !isInUse(each, scene));
  if (free !== undefined) return leaving(free);
  const [first, ...others] = candidates.map(leaving);
  if (first === undefined) return planFor({ do: 'settle', recheckAt: undefined });
  // A gate that was open closes where a certificate is found that needs the generation.
  const noting = [first, ...others].find(({ step }) => step.do === 'note');
  if (noting !== undefined) return noting;
  // The last certificate of another one may end first, without any event.
  const recheckAt = earliest([first, ...others].map(({ step }) => (step.do === 'settle' ? step.recheckAt : undefined)));
  return first.step.do === 'settle' ? { ...first, step: { do: 'settle', recheckAt } } : first;
}
