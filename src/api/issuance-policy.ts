import type { AuthorityKind } from './client-certificate.ts';
import type { AllowedNamespaces, ClusterIssuancePolicy, IssuancePolicy } from './generated/types.ts';

/** One rule of `spec.issuancePolicy`: what it allows, and to whom. */
export interface IssuanceRule {
  readonly name: string;
  /** As `allowsNamespace` reads it; undefined for the namespaced kind, whose rules are for its own namespace. */
  readonly namespaces: AllowedNamespaces | undefined;
  readonly organizations: readonly string[];
}

/**
 * The rules of an authority in their order; undefined where it asks for none. A ClusterCertificateAuthority always does:
 * its CA makes members of a group for every namespace, and organizations are groups to the Kubernetes API server. The CA of
 * a CertificateAuthority belongs to the namespace, whose owner may restrict it.
 */
export function issuanceRules(
  kind: AuthorityKind,
  policy: IssuancePolicy | ClusterIssuancePolicy | undefined,
): readonly IssuanceRule[] | undefined {
  if (policy === undefined) return kind === 'ClusterCertificateAuthority' ? [] : undefined;
  return policy.rules.map((rule) => ({
    name: rule.name,
    namespaces: 'namespaces' in rule ? rule.namespaces : undefined,
    organizations: rule.subject.organizations,
  }));
}
