import { NAME_FIELDS } from '../api/issuance-policy.ts';
import type { Side } from './glob.ts';
import { sideOf } from './names.ts';
import type { Asked, AskedName, Rule } from './rule.ts';

/** What the names that a rule allows begin or end with; `at` is the place of their field in NAME_FIELDS, `place` that of the rule. */
export type AnchorsOf = (rule: Rule, at: number, place: number) => readonly string[];

/**
 * Finds, of many rules, the few that may allow a name: those with a pattern that begins, or ends, as the name does. With a
 * thousand rules that takes a hundredth of asking each.
 */
export class Candidates {
  /** By the places of the fields in NAME_FIELDS. */
  readonly #indexes: readonly AnchorIndex[];
  /** How much memory it takes: one for each pattern. */
  readonly weight: number;

  constructor(rules: readonly Rule[], anchorsOf: AnchorsOf) {
    this.#indexes = NAME_FIELDS.map(
      (field, at) => new AnchorIndex(sideOf(field), rules, (rule, place) => anchorsOf(rule, at, place)),
    );
    this.weight = this.#indexes.reduce((sum, { size }) => sum + size, 0);
  }

  /** Places of rules, in no order: all that may allow the name, and perhaps others. */
  placesFor({ at, compared }: AskedName): readonly number[] {
    return this.#indexes[at]?.placesFor(compared.text) ?? [];
  }
}

/** Places of rules that may allow all that is asked for, in their order; undefined where nothing tells rules apart. */
export function placesFor({ names }: Asked, all: readonly Candidates[]): readonly number[] | undefined {
  let fewest: readonly number[] | undefined;
  for (const name of names) {
    const found = all.flatMap((each) => each.placesFor(name));
    if (fewest === undefined || found.length < fewest.length) fewest = found;
  }
  return fewest && [...new Set(fewest)].sort((one, other) => one - other);
}

/** Places of rules by what their patterns of one field begin or end with. */
class AnchorIndex {
  readonly #side: Side;
  readonly #places = new Map<string, number[]>();
  readonly #lengths: readonly number[];
  size = 0;

  constructor(side: Side, rules: readonly Rule[], anchorsOf: (rule: Rule, place: number) => readonly string[]) {
    this.#side = side;
    for (const [place, rule] of rules.entries())
      for (const anchor of new Set(anchorsOf(rule, place))) {
        const places = this.#places.get(anchor) ?? [];
        this.#places.set(anchor, places);
        places.push(place);
        this.size += 1;
      }
    this.#lengths = [...new Set([...this.#places.keys()].map(({ length }) => length))];
  }

  placesFor(text: string): readonly number[] {
    return this.#lengths.flatMap((length) => {
      if (length > text.length) return [];
      const anchor = this.#side === 'begin' ? text.slice(0, length) : text.slice(text.length - length);
      return this.#places.get(anchor) ?? [];
    });
  }
}
