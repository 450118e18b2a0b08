import type { ClientCertificate } from '../api/client-certificate.ts';
import type { IssuancePolicy } from '../api/issuance-policy.ts';
import type { Fill } from './glob.ts';
import type { Misfit, Rule } from './rule.ts';
import { rulesFor } from './rules.ts';

/** Whether the issuance policy of the authority permits what is asked for. */
export type Permission =
  /** By which rule; undefined where none is needed. */
  | { readonly is: 'allowed'; readonly rule: Rule | undefined }
  /** The labels of the namespace decide, and they are not known yet. */
  | { readonly is: 'pending' }
  /** Its authority has no rules, and issues no organizations without one. */
  | { readonly is: 'noOrganizations' }
  /** With what is in the way in each rule that serves the namespace, in their order. */
  | { readonly is: 'denied'; readonly misfits: readonly Misfit[]; readonly fill: Fill };

export const ALLOWED: Permission = { is: 'allowed', rule: undefined };

/**
 * What the policy says of a request. The request must fit one rule as a whole, and the first that fits decides; so a rule
 * that would fit and may serve the namespace holds up those behind it.
 */
export function permissionOf(
  policy: IssuancePolicy,
  { namespace, name, spec }: Pick<ClientCertificate, 'namespace' | 'name' | 'spec'>,
  labels: Readonly<Record<string, string>> | undefined,
): Permission {
  if (policy === 'Everything') return ALLOWED;
  if (policy === 'NoOrganizations') {
    const { organizations = [] } = spec.identity.subject;
    return organizations.length === 0 ? ALLOWED : { is: 'noOrganizations' };
  }
  const fill = { namespace, name, labels: new Map(Object.entries(labels ?? {})) };
  const misfits: Misfit[] = [];
  for (const { rule, serves } of rulesFor(policy, namespace, labels)) {
    if (rule.usesLabels && labels === undefined) return { is: 'pending' };
    const misfit = rule.misfit(spec, fill);
    if (misfit === undefined) return serves ? { is: 'allowed', rule } : { is: 'pending' };
    if (serves) misfits.push(misfit);
  }
  return { is: 'denied', misfits, fill };
}
