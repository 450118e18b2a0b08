import { authorityName, isAuthority } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { type LedgerEntry, readLedger } from '../secret/ledger.ts';
import { isProvenOf } from '../secret/ledger-with.ts';
import type { RevocationView } from './view.ts';

/** A certificate that was issued to this ClientCertificate, as nobody can have forged, and by which authority. */
export interface OwnCertificate extends LedgerEntry {
  /** As `CertificateAuthority/name`. */
  readonly sealedFor: string;
}

/**
 * The certificates that may be revoked for a ClientCertificate: those of its ledger that Certwheel has sealed, and what its
 * Secret holds, if a CA of the authority signed it for sure. Whoever may write the Secret may also list the certificates of
 * others in it, or have a CA of its own sign one with their serial numbers.
 */
export function ownCertificates(seen: Observed): OwnCertificate[] {
  const { ours, held, resource, authority, seal } = seen;
  if (ours === undefined || seal === undefined) return [];
  const { namespace } = resource;
  const { entries } = readLedger(ours.memory.ledger, { seal, namespace });
  const { issuedAt } = ours.memory;
  const isHeld = ({ serialNumber }: LedgerEntry) => serialNumber === held?.serialNumber;
  const listed = entries
    .filter((each): each is OwnCertificate => each.sealedFor !== undefined)
    // A ledger knows whole seconds: by those it may seem to be issued before a moment at which it was not there yet.
    .map((each) => (isHeld(each) && issuedAt !== undefined ? { ...each, issuedAt } : each));
  const isListed = listed.some(isHeld);
  if (held === undefined || isListed || !isAuthority(authority)) return listed;
  // Not the authority that the annotations of the Secret name: that one may not be the issuer.
  const sealedFor = authorityName(resource);
  if (!isProvenOf({ authority: sealedFor, namespace }, seen, authority, [], seal)) return listed;
  const { serialNumber, notAfter, issuerFingerprint } = held;
  return [{ serialNumber, notAfter, issuerFingerprint, issuedAt, sealedFor }, ...listed];
}

/** What has issued the certificate that the Secret holds, as `CertificateAuthority/name`: the authority, or its fallback. */
function issuerOf({ resource, ours }: Observed): string {
  return ours?.memory.issuedBy ?? ours?.memory.authority ?? authorityName(resource);
}

/** What is revoked by the authority that has issued the certificate that the Secret holds. */
export function revocationOfHeld(seen: Observed): ReturnType<RevocationView['stateOf']> {
  const { held, revocations } = seen;
  return held && revocations?.(issuerOf(seen))?.stateOf(held.serialNumber);
}
