import type { ClientCertificate } from '../api/client-certificate.ts';
import { quote } from '../pki/chain.ts';
import type { Fill } from './glob.ts';
import type { Permission } from './permission.ts';
import type { Misfit } from './rule.ts';

const VALUES_SHOWN = 4;
/** A status holds it, and a person reads it. */
const LONGEST_WHY = 6_000;

type Denied = Pick<ClientCertificate, 'namespace' | 'spec'>;

/** Why no rule fits, and what to do about that: one sentence of at most 8,000 characters. */
export function denialOf(
  { namespace, spec }: Denied,
  { misfits, others, fill }: Extract<Permission, { is: 'denied' }>,
): string {
  const { authorityRef } = spec;
  const shown = fitting(misfits.map((each) => sentenceOf(each, fill)));
  const left = others + misfits.length - shown.length;
  const why = [
    ...shown,
    ...(left > 0 ? [`${left} more ${left === 1 ? 'rule does' : 'rules do'} not fit either`] : []),
  ].join('; ');
  return `no rule of ${authorityRef.kind} ${authorityRef.name} allows namespace ${namespace} this certificate: ${why || 'it has none for this namespace'}; ask for what one rule allows as a whole, or ask ${ownerOf(namespace, spec)} for a rule in spec.issuancePolicy of the authority`;
}

/** Why organizations are not issued by an authority that has no rules. */
export function noOrganizationsOf({ namespace, spec }: Denied): string {
  const { authorityRef, identity } = spec;
  const asked = quote(identity.subject.organizations ?? []);
  return `${authorityRef.kind} ${authorityRef.name} has no rules, and issues no organizations without one, since much software reads them as groups: leave out spec.subject.organizations ${asked}, or ask ${ownerOf(namespace, spec)} for a rule in spec.issuancePolicy of the authority that allows this certificate as a whole`;
}

/** Why a certificate waits for a place under its rule, and what to do about that. */
export function noPlaceOf({ namespace, spec }: Denied, { rule, most }: Extract<Permission, { is: 'full' }>): string {
  const { kind, name } = spec.authorityRef;
  const places =
    most === 1 ? '1 ClientCertificate, and an older one has' : `${most} ClientCertificates, and older ones have`;
  return `rule ${rule.name} of ${kind} ${name} allows namespace ${namespace} ${places} the place${most === 1 ? '' : 's'}; delete one that is not needed (kubectl get ccert -n ${namespace} --sort-by=.metadata.creationTimestamp), or ask ${ownerOf(namespace, spec)} for a higher maxCertificates in the rule`;
}

/** The first of them, at least one, as far as there is room. */
function fitting(sentences: readonly string[]): readonly string[] {
  let length = 0;
  const end = sentences.findIndex((each, index) => {
    length += each.length;
    return index > 0 && length > LONGEST_WHY;
  });
  return end === -1 ? sentences : sentences.slice(0, end);
}

function sentenceOf({ rule, field, value, canonical }: Misfit, fill: Fill): string {
  const allowed = rule.allowed(field, fill);
  if (field === 'maxDuration') return `rule ${rule.name} allows a duration of at most ${allowed[0]}, not ${value}`;
  if (canonical !== undefined)
    return `rule ${rule.name} compares URIs in their canonical form, so write ${quote([canonical])} instead of ${quote([value])} in ${field}`;
  if (allowed.length === 0) return `rule ${rule.name} allows no ${field}, such as ${quote([value])}`;
  const more = allowed.length > VALUES_SHOWN ? ` and ${allowed.length - VALUES_SHOWN} more` : '';
  return `rule ${rule.name} does not allow ${quote([value])} in ${field}, but ${quote(allowed.slice(0, VALUES_SHOWN))}${more}`;
}

function ownerOf(namespace: string, { authorityRef }: Denied['spec']): string {
  return authorityRef.kind === 'ClusterCertificateAuthority'
    ? 'a cluster administrator'
    : `an administrator of namespace ${namespace}`;
}
