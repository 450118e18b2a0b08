import type { Observed } from '../observed.ts';
import { requestSaysOtherwise } from './client-keys.ts';
import * as policy from './policy-refusals.ts';
import * as refusals from './refusals.ts';

/** What a refusal by the authority depends on: nothing that only a read past the caches would tell. */
export type AskedOfAuthority = Pick<Observed, 'resource' | 'authority' | 'permission'>;

/** Why the authority, as it is now, may not issue this. The first that objects names the reason. */
const REFUSALS: readonly ((asked: AskedOfAuthority, now: Date) => refusals.Refusal | undefined)[] = [
  refusals.authorityIsMissing, // or doesn't serve this namespace
  refusals.asksForSystemIdentity, // names that Kubernetes and kubeadm keep for themselves
  policy.deniedByPolicy, // the authority's spec.issuancePolicy
  policy.lacksApproval, // where a rule of it demands one
  refusals.exceedsLimits, // the authority's spec.limits
  refusals.unsupportedByAuthority, // refused before the authority is called at all
  requestSaysOtherwise, // where the client's own request is what the authority gets
  refusals.forbiddenByCA, // name constraints and extended key usages of the CA certificates
];

/** Asked for each decision, and again right before a certificate is signed and before it is published. */
export function refusedByAuthority(asked: AskedOfAuthority, now: Date): refusals.Refusal | undefined {
  for (const each of REFUSALS) {
    const refusal = each(asked, now);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
