import type { CertificateView } from '../certificate.ts';
import { ANY_POLICY, type PolicyMapping } from './policies-read.ts';
import { caName } from './words.ts';

export type PolicyCa = Pick<
  CertificateView,
  | 'subjectText'
  | 'subjectDer'
  | 'issuerDer'
  | 'policies'
  | 'policyMappings'
  | 'policyConstraints'
  | 'inhibitAnyPolicy'
  | 'criticalPolicyQualifiers'
>;

/**
 * What RFC 5280 section 6.1 leaves to a leaf once all CAs are processed, in the form of RFC 9618: of the tree, only the
 * policies at its lowest level decide, so sets are enough and their size is bounded by that of the certificates.
 */
export interface PolicyState {
  /** Whether the leaf must have a valid policy, and the CA that asks for it. */
  readonly requiredBy: string | undefined;
  /** The policies that are valid in the leaf. */
  readonly expected: ReadonlySet<string>;
  /** Whether every other policy is valid too. */
  readonly any: boolean;
  /** Whether anyPolicy in the leaf stands for the valid ones. */
  readonly anyInLeaf: boolean;
  /** What is wrong with the path whatever the leaf. */
  readonly problem: string | undefined;
}

/** Processes the CAs, nearest to the leaf first and the anchor last, of which verifiers read no policies. */
export function compilePolicies(issuers: readonly PolicyCa[]): PolicyState {
  const count = issuers.length;
  const skip = { explicit: count + 1, mapping: count + 1, any: count + 1 };
  let level: Level = { expected: new Set(), any: true };
  let requiredBy: string | undefined;
  let problem: string | undefined;
  for (const ca of issuers.slice(0, -1).reverse()) {
    problem ??= mistakeOf(ca);
    const selfIssued = ca.subjectDer.equals(ca.issuerDer);
    level = descend(level, ca.policies ?? [], skip.any > 0 || selfIssued);
    level = mapped(level, ca.policyMappings ?? [], skip.mapping > 0);
    if (!selfIssued) {
      skip.explicit = Math.max(0, skip.explicit - 1);
      skip.mapping = Math.max(0, skip.mapping - 1);
      skip.any = Math.max(0, skip.any - 1);
    }
    const { requireExplicitPolicy = skip.explicit, inhibitPolicyMapping = skip.mapping } = ca.policyConstraints ?? {};
    if (requireExplicitPolicy < skip.explicit) {
      skip.explicit = requireExplicitPolicy;
      requiredBy = caName(ca);
    }
    skip.mapping = Math.min(skip.mapping, inhibitPolicyMapping);
    skip.any = Math.min(skip.any, ca.inhibitAnyPolicy ?? skip.any);
  }
  // RFC 5280 section 6.1.5 (a): the leaf counts down once more.
  const required = skip.explicit <= 1 ? requiredBy : undefined;
  const state = { requiredBy: required, expected: level.expected, any: level.any, anyInLeaf: skip.any > 0 };
  return { ...state, problem: problem ?? hopeless(state) };
}

interface Level {
  readonly expected: ReadonlySet<string>;
  readonly any: boolean;
}

function mistakeOf(ca: PolicyCa): string | undefined {
  if (ca.criticalPolicyQualifiers)
    return `${caName(ca)} has critical certificate policies with qualifiers, which Java refuses`;
  if (ca.policyMappings?.some(({ issuer, subject }) => issuer === ANY_POLICY || subject === ANY_POLICY))
    return `${caName(ca)} maps anyPolicy, which RFC 5280 section 4.2.1.5 forbids`;
  return undefined;
}

function hopeless({ requiredBy, expected, any, anyInLeaf }: Omit<PolicyState, 'problem'>): string | undefined {
  if (requiredBy === undefined || expected.size > 0 || (any && anyInLeaf)) return undefined;
  const rest = any ? 'no CA names one and anyPolicy is inhibited' : 'the CAs have none in common';
  return `${requiredBy} requires a certificate policy, and ${rest}`;
}

// RFC 9618 section 5.3, replacing RFC 5280 section 6.1.3 (d) and (e).
function descend({ expected, any }: Level, policies: readonly string[], anyCounts: boolean): Level {
  const own = policies.filter((policy) => policy !== ANY_POLICY && (any || expected.has(policy)));
  const keepsAll = anyCounts && policies.includes(ANY_POLICY);
  return { expected: new Set(keepsAll ? [...expected, ...own] : own), any: any && keepsAll };
}

// RFC 9618 section 5.4, replacing RFC 5280 section 6.1.4 (b).
function mapped({ expected, any }: Level, mappings: readonly PolicyMapping[], allowed: boolean): Level {
  if (mappings.length === 0) return { expected, any };
  const next = new Set(expected);
  for (const { issuer } of mappings) next.delete(issuer);
  if (allowed) {
    for (const { issuer, subject } of mappings) if (any || expected.has(issuer)) next.add(subject);
  }
  return { expected: next, any };
}

/** Why a leaf with these policies is refused, as a sentence; undefined if it isn't. */
export function policyProblem(state: PolicyState, policies: readonly string[]): string | undefined {
  if (state.requiredBy === undefined) return undefined;
  if (descend(state, policies, state.anyInLeaf).expected.size > 0) return undefined;
  if (state.any && state.anyInLeaf && policies.includes(ANY_POLICY)) return undefined;
  const has = policies.length === 0 ? 'has none' : `has only ${policies.slice(0, 3).join(', ')}`;
  return `${state.requiredBy} requires a certificate policy that all CAs of the path know; the certificate ${has}`;
}

/** Enough for every relying party that looks for one, and a leaf stays small. */
const MAX_COPIED = 20;

/** The policies with which a leaf meets the requirement; none if there isn't one or if nothing meets it. */
export function neededPolicies({ requiredBy, expected, any, anyInLeaf }: PolicyState): readonly string[] {
  if (requiredBy === undefined) return [];
  if (expected.size > 0) return [...expected].slice(0, MAX_COPIED);
  return any && anyInLeaf ? [ANY_POLICY] : [];
}
