import type { RawObject } from '../api/parse.ts';
import type { RevocationState } from '../certificate/revocation/view.ts';
import type { Ability } from './ability.ts';
import { type Attempt, attemptText } from './attempts.ts';
import type { Revoked } from './crl/crl-due.ts';
import type { Addition, Register } from './register.ts';

/** What is known of the revocations of one authority. After a restart it is read again, and what is asked for is asked again. */
export interface Kept {
  register: Register;
  /** The Secret as it is stored; undefined where there is none. */
  stored: RawObject | undefined;
  isRead: boolean;
  /** Not noted down yet, by serial number. */
  readonly asked: Map<string, Addition>;
  readonly attempts: Map<string, Attempt>;
  /** What was said of revocations whose write has not succeeded yet. */
  readonly told: Set<string>;
  /** Since when a certificate is known that no Secret lists any more. */
  readonly lostSince: Map<string, Date>;
  /** Why the register can't be read or written. */
  problem: string | undefined;
  ability: Ability | undefined;
  /** When the ledgers were searched last, and the serial numbers of the spec that no ledger lists as still valid. */
  ledgersAt: Date | undefined;
  unlisted: readonly string[];
  /** The uid of the authority, where it has CRLs. */
  uid: string | undefined;
  /** How many certificates a look at the authority goes through. */
  certificates: number;
}

export function nothingKept(): Kept {
  return {
    register: new Map(),
    stored: undefined,
    isRead: false,
    asked: new Map(),
    attempts: new Map(),
    told: new Set(),
    lostSince: new Map(),
    problem: undefined,
    ability: undefined,
    ledgersAt: undefined,
    unlisted: [],
    uid: undefined,
    certificates: 0,
  };
}

/** Whether it is to be noted down that this certificate is to be revoked. */
export function isNews({ serialNumber, reason }: Addition, { asked, register }: Kept): boolean {
  const known = register.get(serialNumber) ?? asked.get(serialNumber);
  return known === undefined || (reason === 'keyCompromise' && known.reason !== reason);
}

export function stateOf({ register, attempts }: Kept, serialNumber: string): RevocationState | undefined {
  const entry = register.get(serialNumber);
  if (entry === undefined) return undefined;
  const { reason, revokedAt } = entry;
  if (revokedAt !== undefined) return { state: 'Revoked', reason };
  const attempt = attempts.get(serialNumber);
  if (attempt === undefined) return { state: 'Owed', reason };
  return { state: attempt.isRefused ? 'Refused' : 'Owed', reason, message: attemptText(attempt) };
}

/**
 * What the CRL of a CA lists; `present` are the CAs of the authority that verifiers trust. One whose issuer is unknown, or is
 * trusted no more, stands in each of them: it may have been certified again under its key, and no other certificate has its number.
 */
export function revokedBy(issuer: string, register: Register, present: ReadonlySet<string>): Revoked[] {
  return [...register.values()]
    .filter(({ issuerFingerprint: by }) => by === undefined || by === issuer || !present.has(by))
    .map(({ serialNumber, askedAt, reason, notAfter }) => ({ serialNumber, revokedAt: askedAt, reason, notAfter }));
}
