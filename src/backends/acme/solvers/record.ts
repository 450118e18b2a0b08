import { createHash } from 'node:crypto';
import type { BackendDeps } from '../../backend-deps.ts';
import { provenName } from './select.ts';

/** What the solvers of dns-01 need. */
export type DnsDeps = Pick<BackendDeps, 'secret' | 'objects' | 'addresses' | 'clock'>;

/** The value of the TXT record (RFC 8555 section 8.4). */
export function recordValue(keyAuthorization: string): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}

/** The name of the TXT record. */
export function recordName(domain: string): string {
  return `_acme-challenge.${provenName(domain)}`;
}
