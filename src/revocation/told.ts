import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { CertwheelError } from '../errors.ts';
import type { LogFields } from '../log.ts';
import type { Attempt } from './attempts.ts';
import type { RevocationsDeps } from './deps.ts';
import type { Kept } from './kept.ts';
import type { Registered } from './register.ts';

/** What a log line says of an authority. */
export function about({ kind, namespace, name }: CertificateAuthority): LogFields {
  return { kind, ...(namespace === '' ? {} : { namespace }), name };
}

/** Before the write: a crash, or an answer that is lost, must not keep it out of the audit log. A second try says nothing. */
export function tellOnce({ told }: Kept, what: string, { serialNumber }: Registered, tell: () => void): void {
  const key = `${what} ${serialNumber}`;
  if (told.has(key)) return;
  told.add(key);
  tell();
}

/** Logs each failure to revoke. A refusal also goes into the audit log, and wakes the ClientCertificate. */
export function failureOf(
  resource: CertificateAuthority,
  { log, refused, wakeCertificate }: Pick<RevocationsDeps, 'log' | 'refused' | 'wakeCertificate'>,
) {
  return (entry: Registered, { code, message }: CertwheelError, { nextAt, isRefused }: Attempt): void => {
    const { serialNumber: serial, owner } = entry;
    if (isRefused) refused(resource, entry, message);
    if (isRefused && owner !== undefined) wakeCertificate(owner);
    log.warn('a certificate could not be revoked', {
      ...about(resource),
      serial,
      code,
      error: message,
      nextAttempt: nextAt,
    });
  };
}
