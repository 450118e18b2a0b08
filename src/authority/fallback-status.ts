import {
  type AnyCertificateAuthority,
  authorityConditions,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { NewCondition } from '../api/conditions.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import { type AuthorityView, ownTrustOf } from '../certificate/authority-view.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Trouble } from '../trouble.ts';

export const FALLBACK_READY = 'FallbackReady';

/** The fallback as it is now. */
export interface FallbackFinding {
  /** Undefined where there is no authority of that name. */
  readonly resource: AnyCertificateAuthority | undefined;
  /** Undefined until it was reconciled. */
  readonly view: AuthorityView | undefined;
}

interface FallbackUse {
  /** The trust of a former fallback is still in every ca.crt. */
  readonly keeps: boolean;
  readonly problem?: Trouble | undefined;
  /** The CA certificates of the authority itself are not known, and it can't be asked for them. */
  readonly isUnused?: boolean;
}

/** The condition that says whether the fallback could issue now; none without a fallback. */
export function fallbackReady(
  { kind, namespace, fallback }: CertificateAuthority,
  found: FallbackFinding | undefined,
  { keeps, problem, isUnused = false }: FallbackUse,
): NewCondition[] {
  const condition = (status: NewCondition['status'], reason: string, message: string): NewCondition[] => [
    { type: FALLBACK_READY, status, reason, message },
  ];
  if (problem !== undefined) return condition('False', problem.code, problem.message);
  if (fallback === undefined)
    return keeps
      ? condition(
          'False',
          'Removed',
          'spec.fallback was removed or changed; the CA certificates of the former fallback stay in every ca.crt until its last certificate has ended',
        )
      : [];
  const name = `${kind} ${fallback}`;
  const { resource, view } = found ?? {};
  if (resource === undefined) {
    const place = kind === 'CertificateAuthority' ? ` in namespace ${namespace}` : '';
    return condition(
      'False',
      'AuthorityNotFound',
      `there is no ${name}${place}; create it, or change spec.fallback, which names an authority of the same kind${place && ' and namespace'}`,
    );
  }
  if (isBrokenAuthority(resource))
    return condition('False', resource.code ?? 'InvalidSpec', `${name} can't be used: ${resource.problem}`);
  if (view === undefined) return condition('Unknown', 'Pending', `${name} has not been reconciled yet`);
  if (view.trouble !== undefined)
    return condition('False', view.trouble.code, `${name} can't issue: ${view.trouble.message}`);
  if (ownTrustOf(view).anchors.size === 0)
    return condition(
      'False',
      'TrustUnknown',
      `the CA certificates of ${name} are not known before it has issued a certificate; give it a trustBundle`,
    );
  if (isUnused)
    return condition(
      'False',
      'TrustUnknown',
      'the CA certificates of this authority itself are not known, so its fallback issues nothing; Ready says what is wrong',
    );
  return condition('True', 'Verified', `${name} can issue, and its CA certificates are part of the trust bundle`);
}

/** One event when the fallback can't be used any more, and when that has another reason. */
export function fallbackEvent(before: AuthorityStatus, after: AuthorityStatus): EventText | undefined {
  const failing = (status: AuthorityStatus) =>
    authorityConditions(status).find(({ type, status: value }) => type === FALLBACK_READY && value === 'False');
  const now = failing(after);
  if (now === undefined || now.reason === failing(before)?.reason) return undefined;
  return { type: 'Warning', reason: 'FallbackNotReady', action: 'Verify', note: `${now.reason}: ${now.message}` };
}
