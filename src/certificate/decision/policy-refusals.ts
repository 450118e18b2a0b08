import { isUnread } from '../../api/certificate-approval.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import { quote } from '../../pki/chain.ts';
import { denialOf, noOrganizationsOf, noPlaceOf } from '../../policy/denial.ts';
import { authorityName } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { type Refusal, refuse, wait } from './refusals.ts';

/** The issuance policy of the authority doesn't permit the request. */
export function deniedByPolicy({
  resource,
  permission,
}: Pick<Observed, 'resource' | 'permission'>): Refusal | undefined {
  switch (permission.is) {
    case 'allowed':
      return undefined;
    case 'pending':
      return wait(
        'AuthorityNotReady',
        `the issuance policy of ${authorityName(resource)} goes by the labels of namespace ${resource.namespace}, which are not known yet`,
      );
    case 'denied':
      return refuse('DeniedByPolicy', denialOf(resource, permission));
    case 'full':
      return wait('TooManyCertificates', noPlaceOf(resource, permission));
    case 'noOrganizations':
      return refuse('DeniedByPolicy', noOrganizationsOf(resource));
  }
}

/** What was left out of the cache of approvals may be in it again without an event for this certificate. */
const LEFT_OUT_AGAIN_MS = 300_000;

/** A rule of the authority may want a person to have seen the request. */
export function lacksApproval(
  { resource, permission }: Pick<Observed, 'resource' | 'permission'>,
  now: Date,
): Refusal | undefined {
  if (permission.is !== 'allowed' || permission.approval === undefined) return undefined;
  const { rule, approval } = permission;
  const demand = `rule ${rule?.name} of ${authorityName(resource)} issues only what was approved`;
  if (approval === 'notEnforced')
    return wait(
      'ApprovalPending',
      `${demand}, and in this cluster nothing keeps users from forging approvals; install the chart with approvals.enabled, which takes its admission policy and --approvals of the controller`,
    );
  if (approval === 'missing')
    return wait(
      'ApprovalPending',
      `${demand}, and no CertificateApproval of this namespace has this uid, authority and request; a person who may approve for the authority creates one (see docs/policy.md)`,
    );
  if (approval === 'leftOut') {
    const refusal = wait(
      'ApprovalPending',
      `${demand}, and namespace ${resource.namespace} has more CertificateApprovals than are kept in memory, so a denial may be among those left out; delete some (kubectl get capp -n ${resource.namespace}), or ask a cluster administrator to raise controller.namespaceShareMiB of the chart (--namespace-share-mib); it is tried again within half an hour`,
    );
    return { ...refusal, recheckAt: new Date(now.getTime() + LEFT_OUT_AGAIN_MS) };
  }
  if (isUnread(approval))
    return wait(
      'ApprovalPending',
      `${demand}, and CertificateApproval ${approval.name}, which may deny this request, can't be read: ${approval.problem}; a person who may approve for the authority deletes it (kubectl delete capp -n ${resource.namespace} ${approval.name}) or decides anew`,
    );
  if (!approval.isApproved)
    return refuse(
      'ApprovalDenied',
      `${approval.approvedBy} denied this request with CertificateApproval ${approval.name}: ${quote([approval.reason])}; ask for something else, or ask for another decision`,
    );
  if (approval.validUntil > now) return undefined;
  return wait(
    'ApprovalPending',
    `${demand}, and CertificateApproval ${approval.name} was valid until ${toRfc3339(approval.validUntil)}; a person who may approve for the authority creates another one (see docs/policy.md)`,
  );
}
