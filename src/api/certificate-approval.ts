import { hash } from 'node:crypto';
import { CertwheelError, TerminalError } from '../errors.ts';
import { oneLine } from '../foreign-text.ts';
import { canonicalIdentity } from './canonical-identity.ts';
import { type AuthorityRef, type CertificateSpec, parseRequest } from './client-certificate.ts';
import { parseRfc3339 } from './conditions.ts';
import { certificateApprovalSpecSchema } from './generated/schemas.ts';
import type { CertificateApprovalSpec } from './generated/types.ts';
import { APPROVED_BY_ANNOTATION } from './names.ts';
import { type ObjectMeta, parseMeta, type RawObject, validator } from './parse.ts';

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

const LONGEST_USER = 253;

function isUser(name: string | undefined): name is string {
  return name !== undefined && name !== '' && name.length <= LONGEST_USER;
}

const validate = validator<CertificateApprovalSpec>(certificateApprovalSpecSchema);

/** Undefined for one that can't be read, and so approves nothing. */
export function parseCertificateApproval(object: RawObject): CertificateApproval | undefined {
  try {
    const spec = validate(object.spec);
    const validUntil = parseRfc3339(spec.validUntil);
    if (validUntil === undefined) throw new TerminalError('InvalidSpec', 'spec.validUntil is no moment');
    const approvedBy = object.metadata?.annotations?.[APPROVED_BY_ANNOTATION];
    return {
      ...parseMeta(object),
      certificateName: spec.clientCertificateRef.name,
      certificateUid: spec.clientCertificateRef.uid,
      authorityRef: { kind: spec.authorityRef.kind ?? 'CertificateAuthority', name: spec.authorityRef.name },
      request: requestDigest(parseRequest(spec.request)),
      isApproved: spec.decision === 'Approved',
      reason: oneLine(spec.reason ?? ''),
      validUntil,
      approvedBy: isUser(approvedBy) ? approvedBy : undefined,
    };
  } catch (error) {
    if (error instanceof CertwheelError) return undefined;
    throw error;
  }
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
