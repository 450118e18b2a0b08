import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { IssuancePolicy, IssuanceRule } from '../api/issuance-policy.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { messageOf } from '../thrown.ts';
import { Candidates } from './candidates.ts';
import { Rule } from './rule.ts';
import { type Labels, ServingRules } from './serving-rules.ts';

/** A pattern of one namespace weighs one; the namespaces of one policy take some 5 MB at most. */
const SERVED = { most: 2_000, mostWeight: 50_000 };

/** Of a CertificateAuthority, which any owner of a namespace may write: reading them takes some 5 ms, and 0.7 MB of memory. */
export const MOST_PATTERNS = 1_000;

/** The rules of one authority, read once. */
class Rules {
  readonly #rules: readonly Rule[];
  /** By the patterns that are the same in all namespaces. */
  readonly #shared: Candidates;
  readonly #served = new RecentlyUsed<ServingRules>(SERVED);

  constructor(terms: readonly IssuanceRule[]) {
    this.#rules = terms.map((each) => new Rule(each));
    this.#shared = new Candidates(this.#rules, (rule, at) => rule.fixedAnchors(at));
  }

  /** The first that depends on labels of the namespace. */
  get byLabels(): Rule | undefined {
    return this.#rules.find(({ terms, usesLabels }) => terms.namespaces?.selector !== undefined || usesLabels);
  }

  /** Those that serve other namespaces left out. */
  serving(namespace: string, labels: Labels): ServingRules {
    const known = this.#served.get(namespace);
    if (known !== undefined && known.labels === labels) return known;
    const serving = new ServingRules(this.#rules, this.#shared, namespace, labels);
    this.#served.set(namespace, serving, serving.weight);
    return serving;
  }
}

const read = new WeakMap<readonly IssuanceRule[], Rules>();

/** The rules that a namespace with these labels sees; undefined labels are not known. Throws as Rule does. */
export function rulesFor(terms: readonly IssuanceRule[], namespace: string, labels: Labels): ServingRules {
  return rulesOf(terms).serving(namespace, labels);
}

function rulesOf(terms: readonly IssuanceRule[]): Rules {
  const rules = read.get(terms) ?? new Rules(terms);
  read.set(terms, rules);
  return rules;
}

/** Why the rules can't be used, as a sentence that names the rule and the field; undefined where they can. */
export function rulesProblem({
  kind,
  issuancePolicy,
}: Pick<CertificateAuthority, 'kind' | 'issuancePolicy'>): string | undefined {
  if (typeof issuancePolicy === 'string') return undefined;
  // Counted before any is read: reading takes time of the event loop, and memory, from all namespaces.
  const patterns = patternsIn(issuancePolicy);
  if (kind === 'CertificateAuthority' && patterns > MOST_PATTERNS)
    return `spec.issuancePolicy: the rules have ${patterns} patterns, and those of a CertificateAuthority may have ${MOST_PATTERNS}; use wildcards or fewer rules, or ask a cluster administrator for a ClusterCertificateAuthority, which may have more`;
  try {
    // Its owner knows the namespace, and who labels namespaces needn't.
    const rule = kind === 'CertificateAuthority' ? ruleByLabels(issuancePolicy) : undefined;
    rulesOf(issuancePolicy);
    return (
      rule &&
      `spec.issuancePolicy: rule ${rule} is filled in with labels of the namespace, which only the rules of a ClusterCertificateAuthority can be`
    );
  } catch (error) {
    return `spec.issuancePolicy: ${messageOf(error)}`;
  }
}

/** The first rule that depends on labels of the namespace; undefined where none does. Throws as Rule does. */
export function ruleByLabels(policy: IssuancePolicy): string | undefined {
  return typeof policy === 'string' ? undefined : rulesOf(policy).byLabels?.name;
}

/** How many patterns the rules have, in all fields of names: what they take in time and memory goes by that. */
export function patternsIn(policy: IssuancePolicy): number {
  if (typeof policy === 'string') return 0;
  return policy.reduce((sum, { names }) => [...names.values()].reduce((all, { length }) => all + length, sum), 0);
}
