import type { Revocation, RevocationReason } from '../../api/revocation.ts';

/** What an authority revokes, as a certificate sees it. */
export interface RevocationView {
  /** `spec.revocation` of the authority. */
  readonly policy: Pick<Revocation, 'revokesSuperseded' | 'revokesDeleted' | 'revokesViolations' | 'delayMs'>;
  /** Why it revokes nothing, as a sentence; undefined where it can. */
  readonly unable: string | undefined;
  /** What has become of the revocation of a certificate; undefined where none is asked for. */
  stateOf(serialNumber: string): RevocationState | undefined;
}

export interface RevocationState {
  /** Owed: noted down, and the authority has not done it yet. */
  readonly state: 'Owed' | 'Revoked' | 'Refused';
  readonly reason: RevocationReason;
  /** Why it is refused, or not done yet. */
  readonly message?: string | undefined;
}

/** Whether it revokes any certificate by itself. */
export function revokesAny(view: Pick<RevocationView, 'policy'> | undefined): boolean {
  if (view === undefined) return false;
  const { revokesSuperseded, revokesDeleted, revokesViolations } = view.policy;
  return revokesSuperseded || revokesDeleted || revokesViolations;
}
