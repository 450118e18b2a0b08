import { allowsNamespace } from '../api/certificate-authority.ts';
import { Candidates, placesFor } from './candidates.ts';
import type { Asked, Rule } from './rule.ts';

export type Labels = Readonly<Record<string, string>> | undefined;

/** A rule of the authority, as one namespace sees it. */
export interface RuleInNamespace {
  readonly rule: Rule;
  /** Undefined while the labels that decide that are not known. */
  readonly serves: true | undefined;
}

const NO = 0;
const YES = 1;
const UNKNOWN = 2;

/**
 * The rules that serve one namespace. What is the same in all namespaces is shared: an authority may have a thousand rules
 * for a thousand namespaces.
 */
export class ServingRules {
  readonly labels: Labels;
  /** All rules of the authority. */
  readonly #rules: readonly Rule[];
  /** By the places of the rules. */
  readonly #serves: Uint8Array;
  readonly #candidates: readonly Candidates[];
  /** How much memory it takes, in patterns. */
  readonly weight: number;

  constructor(rules: readonly Rule[], shared: Candidates, namespace: string, labels: Labels) {
    this.labels = labels;
    this.#rules = rules;
    this.#serves = Uint8Array.from(rules, ({ terms }) => {
      const serves = allowsNamespace(terms.namespaces, namespace, labels);
      return serves === undefined ? UNKNOWN : serves ? YES : NO;
    });
    const fill = { namespace, name: '', labels: new Map(Object.entries(labels ?? {})) };
    const own = new Candidates(rules, (rule, at, place) => {
      if (this.#serves[place] === NO) return [];
      // What it allows is not known yet, so it is always among those found.
      return rule.usesLabels && labels === undefined ? [''] : rule.filledAnchors(at, fill);
    });
    this.#candidates = [shared, own];
    this.weight = 1 + own.weight + rules.length / 100;
  }

  /** In their order. */
  get rules(): readonly RuleInNamespace[] {
    return this.#rules.flatMap((_, place) => this.#at(place));
  }

  /** Those of them that are known to serve it. */
  get certain(): readonly Rule[] {
    return this.#rules.filter((_, place) => this.#serves[place] === YES);
  }

  /** In their order: all that may allow what is asked for, and perhaps others. */
  candidates(asked: Asked): readonly RuleInNamespace[] {
    const places = placesFor(asked, this.#candidates);
    return places === undefined ? this.rules : places.flatMap((place) => this.#at(place));
  }

  #at(place: number): RuleInNamespace | [] {
    const serves = this.#serves[place];
    if (serves === NO) return [];
    return { rule: this.#rules[place] as Rule, serves: serves === YES ? true : undefined };
  }
}
