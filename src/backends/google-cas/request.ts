import { createHash } from 'node:crypto';
import type { GoogleCASBackend } from '../../api/generated/types.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { toPem } from '../../pki/pem.ts';
import type { IssueRequest } from '../backend.ts';

type Pool = Pick<GoogleCASBackend, 'project' | 'location' | 'caPool'>;

/** The resource names that an authority needs. Its schema admits no character that has to be encoded in a URL. */
export function locationName({ project, location }: Pool): string {
  return `projects/${project}/locations/${location}`;
}

export function poolName(pool: Pool): string {
  return `${locationName(pool)}/caPools/${pool.caPool}`;
}

/** A template is named in full, or by its id where it is in the project and the location of the pool. */
export function templateName(spec: Pool & Pick<GoogleCASBackend, 'certificateTemplate'>): string | undefined {
  const { certificateTemplate: template } = spec;
  if (template === undefined || template.includes('/')) return template;
  return `${locationName(spec)}/certificateTemplates/${template}`;
}

/** `[a-zA-Z0-9_-]{1,63}`, unique in a location for good: the same request has the same id. */
export function certificateId(requestId: string): string {
  return `certwheel-${digest('certificate', requestId).toString('hex').slice(0, 40)}`;
}

/** A UUID, by which Google recognizes a repeated request for at least an hour. */
export function requestUuid(requestId: string): string {
  const bytes = digest('request', requestId).subarray(0, 16);
  // RFC 9562 section 5.8: version 8 is for digests of one's own, the variant is 0b10.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function digest(purpose: string, requestId: string): Buffer {
  return createHash('sha256').update(`certwheel ${purpose} ${requestId}`).digest();
}

/** Path and body of projects.locations.caPools.certificates.create. */
export function createCall(
  spec: Pool & Pick<GoogleCASBackend, 'certificateTemplate' | 'certificateAuthority'>,
  request: Pick<IssueRequest, 'id'> & { csr(): Buffer },
  lifetimeMs: number,
  { validateOnly = false } = {},
) {
  const query = new URLSearchParams({
    certificateId: certificateId(request.id),
    requestId: requestUuid(request.id),
    ...(spec.certificateAuthority === undefined ? {} : { issuingCertificateAuthorityId: spec.certificateAuthority }),
    ...(validateOnly ? { validateOnly: 'true' } : {}),
  });
  const certificateTemplate = templateName(spec);
  const body = {
    pemCsr: toPem(CSR_LABEL, request.csr()),
    // Google counts whole seconds.
    lifetime: `${Math.floor(lifetimeMs / 1_000)}s`,
    ...(certificateTemplate === undefined ? {} : { certificateTemplate }),
  };
  return { method: 'POST', path: `${poolName(spec)}/certificates?${query}`, body } as const;
}

/** Google's RevocationReason. */
export const REASONS: Readonly<Record<RevocationReason, string>> = {
  unspecified: 'REVOCATION_REASON_UNSPECIFIED',
  keyCompromise: 'KEY_COMPROMISE',
  affiliationChanged: 'AFFILIATION_CHANGED',
  superseded: 'SUPERSEDED',
  cessationOfOperation: 'CESSATION_OF_OPERATION',
};
