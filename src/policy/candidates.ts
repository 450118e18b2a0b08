import { NAME_FIELDS } from '../api/issuance-policy.ts';
import type { Fill, Side } from './glob.ts';
import { sideOf } from './names.ts';
import type { Asked, AskedName, Rule } from './rule.ts';

/**
 * Finds, of many rules, the few that may allow a name: those with a pattern that begins, or ends, as the name does. With a
 * thousand rules that takes a hundredth of asking each.
 */
export class Candidates {
  readonly #rules: readonly Rule[];
  /** By the places of the fields in NAME_FIELDS. */
  readonly #indexes: readonly AnchorIndex[];
  /** How much memory it takes: one for each pattern. */
  readonly weight: number;

  /** `isUndecided` says of a rule that what it allows is not known yet, so that it is always among those found. */
  constructor(rules: readonly Rule[], fill: Fill, isUndecided: (rule: Rule) => boolean) {
    this.#rules = rules;
    this.#indexes = NAME_FIELDS.map(
      (field, at) =>
        new AnchorIndex(
          sideOf(field),
          (place) => {
            const rule = rules[place] as Rule;
            return isUndecided(rule) ? [''] : rule.anchors(at, fill);
          },
          rules.length,
        ),
    );
    this.weight = this.#indexes.reduce((sum, { size }) => sum + size, 0);
  }

  /** Places of rules, in their order: all that may allow what is asked for, and perhaps others. */
  placesFor({ names }: Asked): readonly number[] {
    let fewest: readonly number[] | undefined;
    for (const name of names) {
      const found = this.#placesFor(name);
      if (fewest === undefined || found.length < fewest.length) fewest = found;
    }
    return fewest ?? this.#rules.map((_, place) => place);
  }

  #placesFor({ at, compared }: AskedName): readonly number[] {
    return this.#indexes[at]?.placesFor(compared.text) ?? [];
  }
}

/** Places of rules by what their patterns of one field begin or end with. */
class AnchorIndex {
  readonly #side: Side;
  readonly #places = new Map<string, number[]>();
  readonly #lengths: readonly number[];
  size = 0;

  constructor(side: Side, anchorsOf: (place: number) => readonly string[], count: number) {
    this.#side = side;
    for (let place = 0; place < count; place++)
      for (const anchor of new Set(anchorsOf(place))) {
        const places = this.#places.get(anchor) ?? [];
        this.#places.set(anchor, places);
        places.push(place);
        this.size += 1;
      }
    this.#lengths = [...new Set([...this.#places.keys()].map(({ length }) => length))];
  }

  placesFor(text: string): readonly number[] {
    const found = this.#lengths.flatMap((length) => {
      if (length > text.length) return [];
      const anchor = this.#side === 'begin' ? text.slice(0, length) : text.slice(text.length - length);
      return this.#places.get(anchor) ?? [];
    });
    return found.sort((one, other) => one - other);
  }
}
