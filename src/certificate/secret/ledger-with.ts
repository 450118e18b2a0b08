import { type AuthorityView, authorityName } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { type LedgerEntry, nextLedger, sealedEntries } from './ledger.ts';
import type { Seal, SealContext } from './seal.ts';

/** The ledger of a Secret with the certificates `issued` now and with the one that it holds, newest first. */
export function ledgerWith(
  seen: Observed,
  view: AuthorityView,
  issued: readonly LedgerEntry[],
  now: Date,
  seal: Seal | undefined,
): string {
  const { resource, secret, held } = seen;
  const text = secret?.memory.ledger ?? '';
  const { namespace } = resource;
  const sealing = seal && { seal, namespace };
  if (held === undefined) return nextLedger(text, issued, now, sealing);
  const { serialNumber, notAfter, notBefore, issuerFingerprint } = held;
  const authority = seen.issuedBy ?? authorityName(resource);
  const isSealable = seal !== undefined && isProvenOf({ authority, namespace }, seen, view, issued, seal);
  // Of what is said of it only what the certificate itself says.
  const entry = { serialNumber, notAfter, issuerFingerprint, issuedAt: notBefore };
  return nextLedger(text, [...issued, isSealable ? { ...entry, sealedFor: authority } : entry], now, sealing);
}

/**
 * Whether the held certificate is of this authority beyond doubt: signed by a CA certificate that is known to be the
 * authority's, and with its private key in the Secret. The CA certificates of `ca.crt` aren't enough: one of them may be of
 * another authority, or above a CA of a tenant, which signs with the serial number of whatever that tenant wants revoked. A
 * Secret without a key proves nothing, since anybody has the certificates of others.
 */
export function isProvenOf(
  context: SealContext,
  { secret, held }: Observed,
  view: AuthorityView,
  issued: readonly LedgerEntry[],
  seal: Seal,
): boolean {
  if (held?.keyEncoding === undefined) return false;
  const { issuerFingerprint } = held;
  if (view.generations.has(issuerFingerprint)) return true;
  const isOfIt = (each: { fingerprintSHA256: string }) => each.fingerprintSHA256 === issuerFingerprint;
  if (view.intermediates.some(isOfIt)) return true;
  const known = [...issued, ...sealedEntries(secret?.memory.ledger ?? '', context, seal)];
  return known.some((each) => each.issuerFingerprint === issuerFingerprint);
}
