import { TRUST_TARGET_LABEL } from '../api/names.ts';
import { isInCluster } from '../api/trust-targets.ts';
import { ApiError, classify, type ErrorCode } from '../errors.ts';
import type { Trouble } from '../trouble.ts';
import { type DesiredObject, nameOf } from './desired.ts';
import type { KindOfTarget } from './kind.ts';
import { KINDS } from './kinds.ts';
import { MOST_BYTES } from './view.ts';

/** The words of the admission plugin NamespaceLifecycle, which answers 403. */
const ENDS = /because it is being terminated/;
/** RBAC's, for a signer that the controller may not attest for (admission plugin ClusterTrustBundleAttest). */
const MAY_NOT_ATTEST = /attest/i;

/** Why an object could not be written, as its status says; undefined for what passes by itself, and says nothing of this object. */
export function troubleOfWrite(thrown: unknown, desired: DesiredObject): Trouble | undefined {
  const { code, message } = classify(thrown);
  const said = (reason: ErrorCode, text: string): Trouble => ({ code: reason, message: `${nameOf(desired)}: ${text}` });
  if (!isInCluster(desired)) return said('Unexpected', message);
  const kind = KINDS[desired.kind];
  if (thrown instanceof ApiError && thrown.status === 403 && ENDS.test(message)) return namespaceEnds(desired);
  if (code === 'Forbidden') return said('TrustTargetForbidden', `${message}; ${remedy(kind)}`);
  if (
    thrown instanceof ApiError &&
    thrown.status === 403 &&
    kind.kind === 'ClusterTrustBundle' &&
    MAY_NOT_ATTEST.test(message)
  )
    return said('TrustTargetForbidden', `${message}; add ${desired.signerName} to trustTargets.signers of the chart`);
  if (thrown instanceof ApiError && thrown.status === 404)
    return desired.namespace === '' ? notServed(kind) : said('TrustTargetNoNamespace', message);
  if (code === 'SecretRefused' || code === 'ObjectRefused' || code === 'SecretAltered')
    return said('TrustTargetRefused', `${message}${adviceOn(message)}`);
  if (code === 'Unexpected') return said('Unexpected', message);
  return undefined;
}

/** Nothing can be written there, and nothing that starts reads it. */
export function namespaceEnds(desired: DesiredObject): Trouble {
  return { code: 'TrustTargetNoNamespace', message: `${nameOf(desired)}: its namespace is being deleted` };
}

/** What the API server doesn't say: what is to be done about an object as it is, as the end of a sentence. */
function adviceOn(message: string): string {
  if (/too large|Too long|larger than max/.test(message))
    return '; take out of it what is not needed, such as the keys of others';
  if (/immutable/.test(message)) return '; delete it, and it is made anew';
  return '';
}

/** Nothing has been heard of the objects of a kind since the controller started. */
export const UNREAD: Trouble = {
  code: 'TrustTargetPending',
  message: `the objects with the label ${TRUST_TARGET_LABEL} have not been read yet`,
};

export const UNREAD_PODS: Trouble = {
  code: 'TrustTargetPending',
  message: 'the Pods that may mount it have not been read yet',
};

/** Why nothing is known of Pods, by what their watch says. */
export function troubleOfPods(problem: ApiError | undefined): Trouble {
  if (problem === undefined) return UNREAD_PODS;
  const advice = problem.status === 403 ? '; set trustTargets.pods: true in the values of the chart' : '';
  return {
    code: problem.status === 403 ? 'TrustTargetForbidden' : 'TrustTargetPending',
    message: `${UNREAD_PODS.message}: ${problem.message}${advice}`,
  };
}

/** Why nothing is known of the objects of a kind, by what their watch says. */
export function troubleOfWatch(problem: ApiError | undefined, kind: KindOfTarget): Trouble {
  if (problem?.status === 403) return { code: 'TrustTargetForbidden', message: `${problem.message}; ${remedy(kind)}` };
  if (problem?.status === 404) return notServed(kind);
  return problem === undefined ? UNREAD : { ...UNREAD, message: `${UNREAD.message}: ${problem.message}` };
}

/** The flag doesn't list the kind. */
export function switchedOff(kind: KindOfTarget): Trouble {
  return {
    code: 'TrustTargetForbidden',
    message: `the controller may not write ${kind.kind}s as trust targets; ${remedy(kind)}`,
  };
}

export function tooLarge(bytes: number, anchors: number): Trouble | undefined {
  if (bytes <= MOST_BYTES) return undefined;
  return {
    code: 'TrustBundleTooLarge',
    message: `the trust bundle has ${bytes} bytes in ${anchors} certificates, and an object of Kubernetes takes ${MOST_BYTES}; remove CA certificates that are not needed any more`,
  };
}

function remedy({ right }: KindOfTarget): string {
  return `set trustTargets.${right}: true in the values of the chart (--trust-targets=${right})`;
}

function notServed({ kind, resource }: KindOfTarget): Trouble {
  return {
    code: 'TrustTargetNotServed',
    message: `this API server does not serve ${kind} in ${resource.group}/${resource.version}; it is stable from Kubernetes 1.37 on`,
  };
}
