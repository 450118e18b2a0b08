import { hasSigned } from './blockers.ts';
import { type Generation, mayHaveSigned } from './generation.ts';
import type { Rotation, Step } from './plan-types.ts';

/**
 * So many CA generations of one authority may be in use. More are not read (see readGenerations), and what isn't read is
 * in no ca.crt: the one that signs must never be among those.
 */
export const MOST_IN_USE = 40;

/** Whether a further CA has to wait until one of them is Retired. Where nothing signs there is nothing to protect. */
export function isFull(generations: readonly Generation[], signing: Generation | undefined): boolean {
  return generations.length >= MOST_IN_USE && signing !== undefined;
}

/**
 * Removes a generation that was replaced before it signed, though the one that replaced it may wait for long: a source whose
 * CA changes faster than a CA rotation ends, or while nobody asks for the next step, would leave one more in every ca.crt each
 * time. Nothing can need it. While the rotation is paused no ca.crt changes.
 */
export function removeSuperseded(
  candidates: readonly Generation[],
  { generations, terms }: Pick<Rotation, 'generations' | 'terms'>,
): Step | undefined {
  const found = candidates.find(
    (each) => !mayHaveSigned(each) && !hasSigned(each, generations) && (!terms.isPaused || each.state === 'Pending'),
  );
  return found && { do: 'retire', generation: found };
}
