import { seededRandom } from '../../e2e/process/support/chance.ts';

/** Choices that are the same for the same seed. */
export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** From 0 to `count - 1`. */
  below(count: number): number;
  /** Throws an Error for an empty list. */
  pick<T>(list: readonly T[]): T;
  /** A new list. */
  shuffled<T>(list: readonly T[]): T[];
}

export function diceOf(seed: number): Dice {
  const next = seededRandom(seed);
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[below(list.length)] as (typeof list)[number];
    },
    shuffled(list) {
      const keyed = list.map((value) => ({ value, key: next() }));
      return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
    },
  };
}
