import type { AuthorityKind } from './client-certificate.ts';
import { parseDuration } from './duration.ts';
import type {
  AllowedNamespaces,
  ClusterIssuancePolicy,
  ClusterIssuanceRule,
  IssuancePolicy as IssuancePolicySpec,
  IssuanceRule as IssuanceRuleSpec,
} from './generated/types.ts';

/** The fields of a rule that list names, as they are called in messages: in the order in which they are checked. */
export const NAME_FIELDS = [
  'commonNames',
  'subject.organizations',
  'subject.organizationalUnits',
  'subject.countries',
  'subject.provinces',
  'subject.localities',
  'subject.streetAddresses',
  'subject.postalCodes',
  'subject.serialNumbers',
  'dnsNames',
  'uris',
  'emailAddresses',
  'ipAddresses',
] as const;
export type NameField = (typeof NAME_FIELDS)[number];

/** One rule of `spec.issuancePolicy`: what it allows, and to whom. */
export interface IssuanceRule {
  readonly name: string;
  /** As `allowsNamespace` reads it; undefined for the namespaced kind, whose rules are for its own namespace. */
  readonly namespaces: AllowedNamespaces | undefined;
  /** The names that it allows, as patterns; a field without patterns allows none of its kind. */
  readonly names: ReadonlyMap<NameField, readonly string[]>;
  /** Undefined means no limit, as in the three below. */
  readonly maxDurationMs: number | undefined;
  readonly keyAlgorithms: readonly string[] | undefined;
  readonly usages: readonly string[] | undefined;
  /** How many ClientCertificates of one namespace may be under the rule. */
  readonly maxCertificates: number | undefined;
  /** Whether each request needs a CertificateApproval. */
  readonly needsApproval: boolean;
}

/**
 * What an authority may issue:
 * - `Everything`: a CertificateAuthority without a policy, whose CA belongs to the namespace;
 * - `NoOrganizations`: a ClusterCertificateAuthority without a policy. Its CA makes members of a group for every namespace,
 *   and organizations are groups to the Kubernetes API server;
 * - rules in their order, of which a request must fit one.
 */
export type IssuancePolicy = 'Everything' | 'NoOrganizations' | readonly IssuanceRule[];

export function issuancePolicy(
  kind: AuthorityKind,
  policy: IssuancePolicySpec | ClusterIssuancePolicy | undefined,
): IssuancePolicy {
  if (policy === undefined) return kind === 'ClusterCertificateAuthority' ? 'NoOrganizations' : 'Everything';
  return policy.rules.map(ruleOf);
}

function ruleOf(rule: IssuanceRuleSpec | ClusterIssuanceRule): IssuanceRule {
  const { subject = {}, maxDuration } = rule;
  const patternsOf = (field: NameField): readonly string[] => {
    const [first = '', second] = field.split('.');
    const found = second === undefined ? rule[first as keyof typeof rule] : subject[second as keyof typeof subject];
    return (found ?? []) as readonly string[];
  };
  return {
    name: rule.name,
    namespaces: 'namespaces' in rule ? rule.namespaces : undefined,
    names: new Map(NAME_FIELDS.map((field) => [field, patternsOf(field)])),
    maxDurationMs: maxDuration === undefined ? undefined : parseDuration(maxDuration),
    keyAlgorithms: rule.keyAlgorithms,
    usages: rule.usages,
    maxCertificates: rule.maxCertificates,
    needsApproval: rule.approval === 'Required',
  };
}
