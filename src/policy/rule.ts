import type { CertificateSpec } from '../api/client-certificate.ts';
import { formatDuration } from '../api/duration.ts';
import { type IssuanceRule, NAME_FIELDS, type NameField } from '../api/issuance-policy.ts';
import { messageOf } from '../thrown.ts';
import type { Fill } from './glob.ts';
import { canonicalValue, type NamePattern, readPattern, VALUES } from './names.ts';

/** What is asked for. */
export type Asked = Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'>;

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

interface NameCheck {
  readonly field: NameField;
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
  readonly #checks: readonly NameCheck[];

  /** Throws an Error that names the field and the pattern that can't be read. */
  constructor(terms: IssuanceRule) {
    this.name = terms.name;
    this.terms = terms;
    this.#checks = NAME_FIELDS.map((field) => checkOf(field, terms));
    this.usesLabels = this.#checks.some(({ all }) => all.some((each) => each.usesLabels));
  }

  /** The first thing that it doesn't allow of what is asked for; undefined where all of it fits. */
  misfit(asked: Asked, fill: Fill): Misfit | undefined {
    return this.#nameMisfit(asked, fill) ?? this.#limitMisfit(asked);
  }

  #nameMisfit({ identity }: Asked, fill: Fill): Misfit | undefined {
    for (const { field, exact, patterns } of this.#checks) {
      for (const value of VALUES[field](identity)) {
        const canonical = canonicalValue(field, value);
        const isOther = field === 'uris' && canonical !== value;
        if (!isOther && (exact.has(canonical) || patterns.some((each) => each.matches(canonical, fill)))) continue;
        return { rule: this, field, value, ...(isOther && { canonical }) };
      }
    }
    return undefined;
  }

  #limitMisfit({ identity, durationMs, key }: Asked): Misfit | undefined {
    const { maxDurationMs, keyAlgorithms, usages } = this.terms;
    if (maxDurationMs !== undefined && durationMs > maxDurationMs)
      return { rule: this, field: 'maxDuration', value: formatDuration(durationMs) };
    if (keyAlgorithms !== undefined && !keyAlgorithms.includes(key.algorithm))
      return { rule: this, field: 'keyAlgorithms', value: key.algorithm };
    const usage = usages === undefined ? undefined : identity.usages.find((each) => !usages.includes(each));
    return usage === undefined ? undefined : { rule: this, field: 'usages', value: usage };
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
        return this.#checks.find((each) => each.field === field)?.all.map((each) => each.shown(fill)) ?? [];
    }
  }
}

function checkOf(field: NameField, { name, names }: IssuanceRule): NameCheck {
  const all = (names.get(field) ?? []).map((text) => {
    try {
      return readPattern(field, text);
    } catch (error) {
      throw new Error(`rule ${name} has ${JSON.stringify(text)} in ${field}, which can't be read: ${messageOf(error)}`);
    }
  });
  return {
    field,
    exact: new Set(all.flatMap(({ only }) => (only === undefined ? [] : [only]))),
    patterns: all.filter(({ only }) => only === undefined),
    all,
  };
}
