import type { ClientCertificate, Identity } from '../../api/client-certificate.ts';
import type { IssuanceRule } from '../../api/issuance-policy.ts';
import { quote } from '../../pki/chain.ts';

/** A rule of the authority, as one namespace sees it. */
export interface RuleInNamespace {
  readonly rule: IssuanceRule;
  /** Whether the rule is for this namespace; undefined while the labels that decide that are not known. */
  readonly serves: boolean | undefined;
}

/** What a rule doesn't allow. */
export interface Misfit {
  readonly rule: string;
  /** The field of spec, and the first of its values that the rule doesn't allow. */
  readonly field: 'subject.organizations';
  readonly value: string;
}

/** Whether the issuance policy of the authority permits what is asked for. */
export type Permission =
  /** By which rule; undefined where none is needed. */
  | { readonly is: 'allowed'; readonly rule: string | undefined }
  /** The labels of the namespace decide, and they are not known yet. */
  | { readonly is: 'pending' }
  /** With what is in the way in each rule that serves the namespace, in their order. */
  | { readonly is: 'denied'; readonly misfits: readonly Misfit[] };

/**
 * What the rules say of an identity. It must fit one rule as a whole, and the first that fits decides; so a rule that may
 * serve the namespace holds up those behind it. Without rules (undefined) everything is allowed.
 */
export function permissionOf(rules: readonly RuleInNamespace[] | undefined, identity: Identity): Permission {
  if (rules === undefined || !needsRule(identity)) return { is: 'allowed', rule: undefined };
  const misfits: Misfit[] = [];
  for (const { rule, serves } of rules) {
    if (serves === undefined) return { is: 'pending' };
    if (!serves) continue;
    const misfit = misfitOf(rule, identity);
    if (misfit === undefined) return { is: 'allowed', rule: rule.name };
    misfits.push(misfit);
  }
  return { is: 'denied', misfits };
}

/** Names other than organizations are free. */
function needsRule({ subject }: Identity): boolean {
  return (subject.organizations ?? []).length > 0;
}

/** The first thing that a rule doesn't allow of an identity. */
function misfitOf(rule: IssuanceRule, { subject }: Identity): Misfit | undefined {
  const value = subject.organizations?.find((each) => !rule.organizations.includes(each));
  return value === undefined ? undefined : { rule: rule.name, field: 'subject.organizations', value };
}

/** More than a person reads at once. */
const RULES_SHOWN = 8;

/** Why no rule fits, and what to do about that: one sentence of at most 4,000 characters. */
export function denialOf(
  { namespace, spec }: Pick<ClientCertificate, 'namespace' | 'spec'>,
  misfits: readonly Misfit[],
): string {
  const { authorityRef, identity } = spec;
  const asked = `spec.subject.organizations ${quote(identity.subject.organizations ?? [])}`;
  const shown = misfits
    .slice(0, RULES_SHOWN)
    .map(({ rule, field, value }) => `rule ${rule} does not list ${quote([value])} in ${field}`);
  const rest = misfits.length - shown.length;
  const why = [...shown, ...(rest > 0 ? [`${rest} more rules do not fit either`] : [])].join('; ');
  const owner =
    authorityRef.kind === 'ClusterCertificateAuthority'
      ? 'a cluster administrator'
      : `an administrator of namespace ${namespace}`;
  return `no rule of ${authorityRef.kind} ${authorityRef.name} allows namespace ${namespace} all of ${asked}: ${why || 'it has none for this namespace'}; take out what is not needed, or ask ${owner} for a rule in spec.issuancePolicy of the authority that allows all of it`;
}
