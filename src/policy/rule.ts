import type { CertificateSpec, Identity } from '../api/client-certificate.ts';
import { formatDuration } from '../api/duration.ts';
import { type IssuanceRule, NAME_FIELDS, type NameField } from '../api/issuance-policy.ts';
import { messageOf } from '../thrown.ts';
import { type Fill, shownPattern } from './glob.ts';
import { type ComparedValue, comparedValue, type NamePattern, readPattern, VALUES } from './names.ts';

/** What is asked for, prepared once for all rules. */
export interface Asked extends Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'> {
  readonly names: readonly AskedName[];
}

export interface AskedName {
  /** Its place in NAME_FIELDS. */
  readonly at: number;
  readonly value: string;
  readonly compared: ComparedValue;
  /** Whether a rule may allow it: not a URI in another form than the one in which it is compared. */
  readonly isComparable: boolean;
}

export function askedOf({
  identity,
  durationMs,
  key,
}: Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'>): Asked {
  return { identity, durationMs, key, names: NAME_FIELDS.flatMap((_, at) => askedNames(identity, at)) };
}

function askedNames(identity: Identity, at: number): AskedName[] {
  const field = NAME_FIELDS[at] as NameField;
  return VALUES[field](identity).map((value) => {
    const compared = comparedValue(field, value);
    return { at, value, compared, isComparable: field !== 'uris' || compared.text === value };
  });
}

/** The first thing that a rule does not allow. */
export interface Misfit {
  readonly rule: Rule;
  /** The field of the rule. */
  readonly field: NameField | 'maxDuration' | 'keyAlgorithms' | 'usages';
  /** The first value that is not allowed, as it was asked for. */
  readonly value: string;
  /** The form in which a URI would be compared, where it was asked for in another one, which no rule allows. */
  readonly canonical?: string | undefined;
}

/** What a rule allows in one field of names. */
interface Allowed {
  /** Values that are allowed as they are. */
  readonly exact: ReadonlySet<string>;
  readonly patterns: readonly NamePattern[];
  readonly all: readonly NamePattern[];
}

/** A rule whose patterns are read. */
export class Rule {
  readonly name: string;
  readonly terms: IssuanceRule;
  /** Whether a pattern of it is filled in with labels of the namespace. */
  readonly usesLabels: boolean;
  /** By the places of the fields in NAME_FIELDS; undefined for one that it lacks. */
  readonly #allowed: readonly (Allowed | undefined)[];

  /** Throws an Error that names the field and the pattern that can't be read. */
  constructor(terms: IssuanceRule) {
    this.name = terms.name;
    this.terms = terms;
    this.#allowed = NAME_FIELDS.map((field) => allowedIn(field, terms));
    this.usesLabels = this.#allowed.some((each) => each?.all.some(({ usesLabels }) => usesLabels));
  }

  /** The first thing that it doesn't allow of what is asked for; undefined where all of it fits. */
  misfit(asked: Asked, fill: Fill): Misfit | undefined {
    for (const name of asked.names) {
      if (this.#allows(name, fill)) continue;
      const { at, value, compared, isComparable } = name;
      const misfit = { rule: this, field: NAME_FIELDS[at] as NameField, value };
      return isComparable ? misfit : { ...misfit, canonical: compared.text };
    }
    const { maxDurationMs, keyAlgorithms, usages } = this.terms;
    if (maxDurationMs !== undefined && asked.durationMs > maxDurationMs)
      return { rule: this, field: 'maxDuration', value: formatDuration(asked.durationMs) };
    if (keyAlgorithms !== undefined && !keyAlgorithms.includes(asked.key.algorithm))
      return { rule: this, field: 'keyAlgorithms', value: asked.key.algorithm };
    const usage = usages === undefined ? undefined : asked.identity.usages.find((each) => !usages.includes(each));
    return usage === undefined ? undefined : { rule: this, field: 'usages', value: usage };
  }

  /** What the names that it allows in that field begin or end with, see Glob: by the patterns without placeholders. */
  fixedAnchors(at: number): readonly string[] {
    const { patterns = [], exact = [] } = this.#allowed[at] ?? {};
    return [...exact, ...patterns.flatMap((each) => (each.isFilledIn ? [] : (each.anchor(NOTHING) ?? [])))];
  }

  /** The same by its other patterns. */
  filledAnchors(at: number, fill: Fill): readonly string[] {
    const { patterns = [] } = this.#allowed[at] ?? {};
    return patterns.flatMap((each) => (each.isFilledIn ? (each.anchor(fill) ?? []) : []));
  }

  /** What it allows in a field, filled in; empty for nothing. */
  allowed(field: Misfit['field'], fill: Fill): readonly string[] {
    const { maxDurationMs, keyAlgorithms = [], usages = [] } = this.terms;
    switch (field) {
      case 'maxDuration':
        return maxDurationMs === undefined ? [] : [formatDuration(maxDurationMs)];
      case 'keyAlgorithms':
        return keyAlgorithms;
      case 'usages':
        return usages;
      default:
        return (this.terms.names.get(field) ?? []).map((text) => shownPattern(text, fill));
    }
  }

  #allows({ at, compared, isComparable }: AskedName, fill: Fill): boolean {
    const allowed = this.#allowed[at];
    if (allowed === undefined || !isComparable) return false;
    if (allowed.exact.has(compared.text)) return true;
    for (const pattern of allowed.patterns) if (pattern.matches(compared, fill)) return true;
    return false;
  }
}

/** For what has no placeholders. */
const NOTHING: Fill = { namespace: '', name: '', labels: new Map() };

function allowedIn(field: NameField, { name, names }: IssuanceRule): Allowed | undefined {
  const all = (names.get(field) ?? []).map((text) => {
    try {
      return readPattern(field, text);
    } catch (error) {
      throw new Error(`rule ${name} has ${JSON.stringify(text)} in ${field}, which can't be read: ${messageOf(error)}`);
    }
  });
  if (all.length === 0) return undefined;
  return {
    exact: new Set(all.flatMap(({ only }) => (only === undefined ? [] : [only]))),
    patterns: all.filter(({ only }) => only === undefined),
    all,
  };
}
