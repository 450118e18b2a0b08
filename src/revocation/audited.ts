import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { type Audit, revocationEvent } from '../audit/event.ts';
import type { Registered } from './register.ts';

/** Writes the line of one revocation; `detail` is why it was refused. */
export function auditRevocation(
  audit: Audit | undefined,
  step: Parameters<typeof revocationEvent>[0],
  resource: CertificateAuthority,
  { serialNumber: serial, issuerFingerprint: issuer, externalId, notAfter, owner, reason }: Registered,
  detail?: string,
): void {
  const [namespace, name] = owner?.split('/') ?? [];
  const subject = { authority: authorityKey(resource), serial, issuer, namespace, name, externalId, notAfter };
  audit?.write(revocationEvent(step, subject, reason, detail));
}
