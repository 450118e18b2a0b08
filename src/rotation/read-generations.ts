import { setImmediate } from 'node:timers/promises';
import { type Generation, withoutFuture } from './generation.ts';
import type { GenerationSecret } from './generation-secret.ts';

/** Far more than a CA has that is replaced each day. */
const MOST_GENERATIONS = 50;

export interface ReadGenerations {
  readonly generations: readonly Generation[];
  /** The first thing that is wrong with one of the Secrets, as a sentence. */
  readonly problem: string | undefined;
}

/**
 * Reads what claims to be a CA generation, the newest ones alone if there are too many. One at a time, with the event loop
 * let go in between: a pair with an RSA key of 8192 bits takes a tenth of a second to prove, and any user with the rights of
 * the namespace can write thousands of them.
 */
export async function readGenerations(
  stored: readonly GenerationSecret[],
  now: Date,
  most = MOST_GENERATIONS,
): Promise<ReadGenerations> {
  const newest = new Set([...stored].sort((one, other) => other.version - one.version).slice(0, most));
  const generations: Generation[] = [];
  let problem: string | undefined;
  for (const each of stored) {
    if (!newest.has(each)) continue;
    if (!each.isRead) await setImmediate();
    if (each.generation !== undefined) generations.push(withoutFuture(each.generation, now));
    problem ??= each.problem;
  }
  if (stored.length > most)
    problem ??= `${stored.length} Secrets claim to be its CA generations, and the ${most} newest are read; delete those that Certwheel has not made`;
  return { generations, problem };
}
