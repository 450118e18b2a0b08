import type { RevocationReason, RevocationRequest } from '../../api/revocation.ts';
import type { Observed } from '../observed.ts';
import { type OwnCertificate, revocationOfHeld } from './own-certificates.ts';

interface Asked {
  readonly entry: OwnCertificate;
  readonly reason: RevocationReason;
}

/** The certificates that the annotations ask to revoke. A moment in the future asks for nothing yet. */
export function askedToRevoke(
  request: RevocationRequest | undefined,
  certificates: readonly OwnCertificate[],
  now: Date,
): readonly Asked[] {
  if (request === undefined) return [];
  return certificates.flatMap((entry) => {
    const reason = reasonFor(request, entry, now);
    return reason === undefined ? [] : [{ entry, reason }];
  });
}

/** Serial numbers that the annotation names and that are none of this ClientCertificate. */
export function unknownSerials(request: RevocationRequest, certificates: readonly OwnCertificate[]): readonly string[] {
  const known = new Set(certificates.map(({ serialNumber }) => serialNumber));
  return request.serials.map(({ serialNumber }) => serialNumber).filter((each) => !known.has(each));
}

/** Why the annotations ask to revoke the certificate that the Secret holds; undefined where they don't. */
export function heldIsAskedFor({ resource, held, ours }: Observed, now: Date): RevocationReason | undefined {
  if (resource.revoke === undefined || held === undefined) return undefined;
  return reasonFor(
    resource.revoke,
    { serialNumber: held.serialNumber, issuedAt: ours?.memory.issuedAt ?? held.notBefore },
    now,
  );
}

function reasonFor(
  { serials, issuedBefore }: RevocationRequest,
  { serialNumber, issuedAt }: Pick<OwnCertificate, 'serialNumber' | 'issuedAt'>,
  now: Date,
): RevocationReason | undefined {
  const named = serials.find((each) => each.serialNumber === serialNumber);
  if (named !== undefined) return named.reason;
  if (issuedBefore === undefined || issuedBefore.moment > now) return undefined;
  // Of one that is listed without its moment nothing shows that it is new enough.
  return issuedAt === undefined || issuedAt < issuedBefore.moment ? issuedBefore.reason : undefined;
}

/** Whether that is the private key of the certificate that the Secret holds, and may be in other hands. */
export function isCompromised(publicKeyPin: string, seen: Observed, now: Date): boolean {
  return publicKeyPin === seen.held?.publicKeyPinSHA256 && keyIsCompromised(seen, now);
}

/** Whether the private key may be in other hands, so that the next certificate needs another one. */
export function keyIsCompromised(seen: Observed, now: Date): boolean {
  return heldIsAskedFor(seen, now) === 'keyCompromise' || revocationOfHeld(seen)?.reason === 'keyCompromise';
}
