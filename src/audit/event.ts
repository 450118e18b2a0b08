import type { RevocationReason } from '../api/revocation.ts';
import type { Subject } from '../pki/name.ts';
import type { Names } from '../pki/san.ts';

/** The kinds of lines. A kind is never renamed: other programs read them. */
export const AUDIT_EVENTS = [
  // the log itself
  'start',
  'stop',
  // certificates of clients
  'approved',
  'denied',
  'requested',
  'signed',
  'published',
  'adopted',
  // revocation
  'revocationAsked',
  'revoked',
  'revocationRefused',
  // CAs, and what trusts them
  'caStep',
  'probeSigned',
  'responderSigned',
  'crlSigned',
  'trustChanged',
  'trustTargetWritten',
  'trustTargetDeleted',
] as const;
export type AuditEventName = (typeof AUDIT_EVENTS)[number];

/** What a certificate names: its subject without empty fields, and its subject alternative names. */
export type AuditNames = Partial<Subject & Names>;

/** One decision or act. What doesn't apply is left out. No field may hold a secret. */
export interface AuditEvent {
  readonly event: Exclude<AuditEventName, 'start' | 'stop'>;
  /** See authorityKey. */
  readonly authority?: string | undefined;
  /** The ClientCertificate, by uid as well: another one may have the same name later. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  /** The user that an admission policy has stamped onto the ClientCertificate, or `unverified`. */
  readonly requestedBy?: string | undefined;
  /** Lower-case hex. */
  readonly serial?: string | undefined;
  readonly names?: AuditNames | undefined;
  /** RFC 7469: base64 of the SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyPin?: string | undefined;
  /** Lower-case hex of the SHA-256 of the CA certificate that signs. */
  readonly issuer?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** Why: a reason of a rotation, an error code, a reason of RFC 5280, or the reason of an event of a CA rotation. */
  readonly reason?: string | undefined;
  /** The rule of the issuance policy that permits it. */
  readonly rule?: string | undefined;
  /** The person's decision that permits it, where the rule needs one. */
  readonly approval?: AuditApproval | undefined;
  /** The fallback that signs in place of the authority; see authorityKey. */
  readonly signedBy?: string | undefined;
  /** Of the CA. */
  readonly generation?: number | undefined;
  /** Of the Secret. */
  readonly revision?: number | undefined;
  /** An object of the cluster as `Kind namespace/name`, or another place that holds a trust bundle. */
  readonly object?: string | undefined;
  /** The CA certificates of a trust bundle: lower-case hex of their SHA-256. */
  readonly anchors?: readonly string[] | undefined;
  /** The verifier that a probe asks, of `spec.trust.verifiers`. */
  readonly verifier?: string | undefined;
  /** What the CA itself calls the certificate. */
  readonly externalId?: string | undefined;
  /** For people. */
  readonly detail?: string | undefined;
}

export interface AuditApproval {
  /** Of the CertificateApproval. */
  readonly name: string;
  readonly uid: string;
  readonly approvedBy: string;
  readonly createdAt: string;
  readonly validUntil: Date;
}

/** Where decisions are written down. Never throws: a decision doesn't depend on its line. */
export interface Audit {
  write(event: AuditEvent): void;
}

/** The certificate that a revocation is about. */
export interface RevocationSubject {
  readonly authority: string;
  readonly serial: string;
  readonly issuer?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly externalId?: string | undefined;
  readonly notAfter?: Date | undefined;
}

/**
 * The line of a revocation: `asked` once it is owed, `done` once the CA has taken it or a CRL lists it, `refused` where it will
 * not be tried (again). `detail` says by what it was asked for, or why it was refused.
 */
export function revocationEvent(
  step: 'asked' | 'done' | 'refused',
  subject: RevocationSubject,
  reason: RevocationReason,
  detail?: string,
): AuditEvent {
  const event = ({ asked: 'revocationAsked', done: 'revoked', refused: 'revocationRefused' } as const)[step];
  return { event, ...subject, reason, detail };
}
