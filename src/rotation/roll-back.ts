import { endOf, type Generation, mayHaveSigned } from './generation.ts';
import type { Step } from './plan-types.ts';

/** Whether a generation is never to sign again, by what the one that signs remembers. */
export function rolledBack(signing: Generation | undefined): (generation: Generation) => boolean {
  return ({ state, path }) => state === 'RolledBack' || signing?.rejects.includes(path.id) === true;
}

/** Whether a CA was rolled back, by its id; its generation may be retired by now. */
export function isHeldOff(
  id: string | undefined,
  generations: readonly Generation[],
  signing: Generation | undefined,
): boolean {
  if (id === undefined) return false;
  return (
    signing?.rejects.includes(id) === true ||
    generations.some(({ state, path }) => state === 'RolledBack' && path.id === id)
  );
}

/** Why a generation can't be rolled back, as a sentence; otherwise the one that signs in its place. */
export type RollBack = { readonly to: Generation } | { readonly refused: string };

/**
 * What follows from a wish to roll back a generation. Until it is retired the former CA is in every ca.crt, and so signs at
 * once.
 */
export function rollBackOf(
  version: number,
  able: readonly Generation[],
  signing: Generation | undefined,
  now: Date,
): RollBack {
  const target = able.find((each) => each.version === version);
  if (target === undefined) return { refused: `there is no generation ${version} that is in use` };
  if (target.state === 'Retiring')
    return { refused: `generation ${version} signs no more; name the generation that replaced it` };
  const isRejected = rolledBack(signing);
  const others = able
    .filter((each) => each !== target && mayHaveSigned(each) && !isRejected(each) && endOf(each.path) > now)
    .sort((one, other) => other.since.getTime() - one.since.getTime() || other.version - one.version);
  const to = others.find((each) => each === signing) ?? others.find(({ state }) => state === 'Active') ?? others[0];
  if (to === undefined) return { refused: `there is no other generation that could sign in place of ${version}` };
  return { to };
}

/** The next step of what was asked for; undefined where there is none, or where it is done. */
export function rollBack(
  version: number | undefined,
  able: readonly Generation[],
  signing: Generation | undefined,
  now: Date,
): Step | undefined {
  const rejected = able.find((each) => each.version === version);
  if (version === undefined || rejected === undefined || rolledBack(signing)(rejected)) return undefined;
  const answer = rollBackOf(version, able, signing, now);
  return 'to' in answer ? { do: 'rollBack', generation: answer.to, rejected } : undefined;
}
