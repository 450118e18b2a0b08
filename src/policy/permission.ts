import type { CertificateApproval, Decision, UnreadDecision } from '../api/certificate-approval.ts';
import { isUnread } from '../api/certificate-approval.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { IssuancePolicy } from '../api/issuance-policy.ts';
import { approvalOf } from './approval.ts';
import type { Fill } from './glob.ts';
import { askedOf, type Misfit, type Rule } from './rule.ts';
import { rulesFor } from './rules.ts';

/** Whether the issuance policy of the authority permits what is asked for. */
export type Permission =
  /** By which rule; undefined where none is needed. */
  | { readonly is: 'allowed'; readonly rule: Rule | undefined; readonly approval?: Approval }
  /** Older certificates fill the places that `maxCertificates` of the rule gives to the namespace. */
  | { readonly is: 'full'; readonly rule: Rule; readonly most: number }
  /** The labels of the namespace decide, and they are not known yet. */
  | { readonly is: 'pending' }
  /** Its authority has no rules, and issues no organizations without one. */
  | { readonly is: 'noOrganizations' }
  /** With the first thing that did not fit in each of the first rules that serve the namespace, and how many others there are. */
  | { readonly is: 'denied'; readonly misfits: readonly Misfit[]; readonly others: number; readonly fill: Fill };

/**
 * What there is where the rule needs an approval; `notEnforced` where approvals of this cluster can't be trusted, `leftOut`
 * where the namespace has more of them than are kept, and a denial may be among the others.
 */
export type Approval = CertificateApproval | UnreadDecision | 'missing' | 'leftOut' | 'notEnforced';

/** The decisions on requests of a ClientCertificate. */
export type DecisionsOn = (
  resource: Pick<ClientCertificate, 'namespace' | 'uid'>,
) => readonly Decision[] | Extract<Approval, 'leftOut'>;

export const ALLOWED: Permission = { is: 'allowed', rule: undefined };

/** The rule that permits it; undefined where none is needed, or none does. */
export function ruleOf(permission: Permission): Rule | undefined {
  return permission.is === 'allowed' ? permission.rule : undefined;
}

/** Until when a person's approval lets it be issued; undefined where none is needed, or none was given. */
export function approvalEndOf(permission: Permission): Date | undefined {
  if (permission.is !== 'allowed') return undefined;
  const { approval } = permission;
  return typeof approval === 'object' && !isUnread(approval) ? approval.validUntil : undefined;
}

/**
 * What the policy says of a request. The request must fit one rule as a whole, and the first that fits decides; so a rule
 * that would fit and may serve the namespace holds up those behind it. `decisionsOn` is undefined
 * where the cluster doesn't keep users from forging them.
 */
export function permissionOf(
  policy: IssuancePolicy,
  resource: Pick<ClientCertificate, 'namespace' | 'name' | 'uid' | 'spec'>,
  labels: Readonly<Record<string, string>> | undefined,
  decisionsOn?: DecisionsOn,
): Permission {
  const { namespace, name, spec } = resource;
  if (policy === 'Everything') return ALLOWED;
  if (policy === 'NoOrganizations') {
    const { organizations = [] } = spec.identity.subject;
    return organizations.length === 0 ? ALLOWED : { is: 'noOrganizations' };
  }
  const fill = { namespace, name, labels: new Map(Object.entries(labels ?? {})) };
  const asked = askedOf(spec);
  const serving = rulesFor(policy, namespace, labels);
  for (const { rule, serves } of serving.candidates(asked)) {
    if (rule.usesLabels && labels === undefined) return { is: 'pending' };
    if (rule.misfit(asked, fill) !== undefined) continue;
    if (!serves) return { is: 'pending' };
    if (!rule.terms.needsApproval) return { is: 'allowed', rule };
    return { is: 'allowed', rule, approval: findApproval(resource, decisionsOn) };
  }
  const { certain } = serving;
  const misfits = certain.slice(0, MISFITS_SHOWN).flatMap((rule) => rule.misfit(asked, fill) ?? []);
  return { is: 'denied', misfits, others: certain.length - misfits.length, fill };
}

function findApproval(
  resource: Pick<ClientCertificate, 'namespace' | 'name' | 'uid' | 'spec'>,
  decisionsOn: DecisionsOn | undefined,
): Approval {
  if (decisionsOn === undefined) return 'notEnforced';
  const decisions = decisionsOn(resource);
  return decisions === 'leftOut' ? decisions : (approvalOf(resource, decisions) ?? 'missing');
}

/** More rules than that rarely serve one namespace. The admission policy of the chart shows as many. */
const MISFITS_SHOWN = 16;
