import { hash } from 'node:crypto';
import { CertwheelError, TerminalError } from '../errors.ts';
import { oneLine } from '../foreign-text.ts';
import { canonicalIdentity } from './canonical-identity.ts';
import { type AuthorityRef, type CertificateSpec, parseRequest } from './client-certificate.ts';
import { parseRfc3339 } from './conditions.ts';
import { certificateApprovalSpecSchema } from './generated/schemas.ts';
import type { CertificateApprovalSpec } from './generated/types.ts';
import { APPROVED_BY_ANNOTATION, LONGEST_NAME } from './names.ts';
import { type ObjectMeta, parseMeta, type RawObject, validator } from './parse.ts';
import { refuseUnknownFields } from './unknown-fields.ts';

/** A decision on one request of one ClientCertificate. It has no status: nothing is decided from one. */
export interface CertificateApproval extends ObjectMeta {
  readonly certificateName: string;
  /** Of the ClientCertificate: one of the same name that is made later is another. */
  readonly certificateUid: string;
  readonly authorityRef: AuthorityRef;
  /** See requestDigest. */
  readonly request: string;
  readonly isApproved: boolean;
  readonly reason: string;
  readonly validUntil: Date;
  /** The user that created it, as the admission policy of the chart has checked; undefined without that mark. */
  readonly approvedBy: string | undefined;
}

/** A decision that can't be read, such as one that an earlier schema admitted. */
export interface UnreadDecision extends ObjectMeta {
  readonly certificateName: string;
  readonly certificateUid: string;
  /** What is wrong with it. */
  readonly problem: string;
  /** See CertificateApproval. */
  readonly approvedBy: string | undefined;
}

export type Decision = CertificateApproval | UnreadDecision;

export function isUnread(decision: Decision): decision is UnreadDecision {
  return 'problem' in decision;
}

const LONGEST_UID = 64;
const LONGEST_PROBLEM = 512;

function isUser(name: string | undefined): name is string {
  return name !== undefined && name !== '' && name.length <= LONGEST_NAME;
}

const validate = validator<CertificateApprovalSpec>(certificateApprovalSpecSchema);

/**
 * Undefined for an approval that can't be read, and so approves nothing. Anything else that can't be read may be a denial, and
 * must not let an older approval count.
 */
export function parseCertificateApproval(object: RawObject): Decision | undefined {
  try {
    const spec = validate(object.spec);
    refuseUnknownFields(spec, certificateApprovalSpecSchema, 'spec');
    const validUntil = parseRfc3339(spec.validUntil);
    if (validUntil === undefined) throw new TerminalError('InvalidSpec', 'spec.validUntil is no moment');
    return {
      ...parseMeta(object),
      certificateName: spec.clientCertificateRef.name,
      certificateUid: spec.clientCertificateRef.uid,
      authorityRef: { kind: spec.authorityRef.kind ?? 'CertificateAuthority', name: spec.authorityRef.name },
      request: requestDigest(parseRequest(spec.request)),
      isApproved: spec.decision === 'Approved',
      reason: oneLine(spec.reason ?? ''),
      validUntil,
      approvedBy: approverOf(object),
    };
  } catch (error) {
    if (error instanceof CertwheelError) return unread(object, error.message);
    throw error;
  }
}

function approverOf({ metadata }: RawObject): string | undefined {
  const approvedBy = metadata?.annotations?.[APPROVED_BY_ANNOTATION];
  return isUser(approvedBy) ? approvedBy : undefined;
}

function unread(object: RawObject, problem: string): UnreadDecision | undefined {
  const { clientCertificateRef: of, decision } = (object.spec ?? {}) as {
    clientCertificateRef?: { name?: unknown; uid?: unknown } | null;
    decision?: unknown;
  };
  const [name, uid] = [of?.name, of?.uid];
  if (decision === 'Approved' || typeof name !== 'string' || typeof uid !== 'string' || uid.length > LONGEST_UID)
    return undefined;
  return {
    ...parseMeta(object),
    certificateName: name.slice(0, LONGEST_NAME),
    certificateUid: uid,
    problem: oneLine(problem).slice(0, LONGEST_PROBLEM),
    approvedBy: approverOf(object),
  };
}

/**
 * A text that is equal exactly where two requests are: the names, the usages, the duration and the kind of key. Order and
 * spelling don't count.
 */
export function requestDigest({
  identity,
  durationMs,
  key,
}: Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'>): string {
  const size = 'size' in key ? key.size : undefined;
  const parts = [canonicalIdentity(identity), durationMs, key.algorithm, size];
  return hash('sha256', JSON.stringify(parts), 'base64');
}
