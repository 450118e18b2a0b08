import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { NewCondition } from '../api/conditions.ts';

/** The condition of an authority that serves several namespaces and issues the names of each to all of them. */
export function unrestricted({
  name,
  allowedNamespaces,
  issuancePolicy,
}: Pick<CertificateAuthority, 'name' | 'allowedNamespaces' | 'issuancePolicy'>): NewCondition[] {
  // The policy of the cluster kind alone.
  if (issuancePolicy !== 'NoOrganizations') return [];
  const { all = false, selector, names = [] } = allowedNamespaces ?? {};
  // An empty list of labels selects every namespace.
  if (!all && selector === undefined && new Set(names).size < 2) return [];
  const message = `each namespace that it serves may ask for any name, also for that of another namespace, because the authority has no rules; list in spec.issuancePolicy.rules which names each namespace may have: kubectl explain clustercertificateauthority.spec.issuancePolicy.rules (to serve one namespace, list that alone in spec.allowedNamespaces.names of ${name})`;
  return [{ type: 'Unrestricted', status: 'True', reason: 'NoIssuancePolicy', message }];
}
