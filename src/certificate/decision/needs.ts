import { canonicalIdentity } from '../../api/canonical-identity.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import { formatDuration } from '../../api/duration.ts';
import { keyOf } from '../../api/parse.ts';
import { type AuthorityView, authorityName, isAuthority } from '../authority-view.ts';
import type { Observed, RotationReason } from '../observed.ts';
import { heldIsAskedFor } from '../revocation/asked.ts';
import { revocationOfHeld } from '../revocation/own-certificates.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import { holdsKey, secretType } from '../secret/secret-type.ts';
import { scheduleOf } from './schedule.ts';

/** Why a new certificate is needed. */
export interface Need {
  readonly reason: RotationReason;
  readonly message: string;
}

export function secretIsMissing({ resource, secret }: Observed): Need | undefined {
  if (secret !== undefined) return undefined;
  return resource.status.revision === undefined
    ? { reason: 'FirstIssue', message: 'there is no Secret yet' }
    : { reason: 'SecretRepaired', message: `Secret ${resource.spec.secretName} is gone` };
}

export function secretIsUnusable({ secret }: Observed): Need | undefined {
  return secret?.problem === undefined ? undefined : { reason: 'SecretRepaired', message: secret.problem };
}

export function differsFromSpec({ resource, secret, held }: Observed): Need | undefined {
  if (held === undefined) return undefined;
  const { spec } = resource;
  if (secret !== undefined && holdsKey(secret.type) !== holdsKey(secretType(spec)))
    return { reason: 'SpecChanged', message: `the Secret has the type ${secret.type}` };
  const wanted = canonicalIdentity(spec.identity);
  const changed = (['subject', 'names', 'usages'] as const).find((part) => held.identity[part] !== wanted[part]);
  if (changed !== undefined)
    return { reason: 'SpecChanged', message: `the ${changed} of the certificate are not those of the spec` };
  if (JSON.stringify(held.key) !== JSON.stringify(spec.key))
    return { reason: 'SpecChanged', message: 'the private key is not of the kind that the spec asks for' };
  const requestedMs = secret?.memory.requestedDurationMs;
  // The Secret remembers whole seconds, and a certificate counts no others.
  if (requestedMs !== undefined && formatDuration(requestedMs) !== formatDuration(spec.durationMs))
    return { reason: 'SpecChanged', message: `the duration is now ${formatDuration(spec.durationMs)}` };
  return undefined;
}

export function comesFromElsewhere({ resource, authority, secret, held }: Observed): Need | undefined {
  if (held === undefined) return undefined;
  const remembered = secret?.memory.authority;
  // Asked first: it holds of an authority that isn't there, too.
  if (remembered !== undefined && remembered !== authorityName(resource))
    return { reason: 'AuthorityChanged', message: `the certificate was issued by ${remembered}` };
  // Until its trust is known, an authority can't disown what it issued.
  if (!isAuthority(authority) || authority.isStatedWithAnswers) return undefined;
  if (authority.trust.anchors.size > 0 && !leadsTo(held, authority))
    return { reason: 'AuthorityChanged', message: 'the certificate does not lead to a CA of the authority' };
  return undefined;
}

export function renewalAsked({ resource, secret }: Observed, now: Date): Need | undefined {
  const { renewAt } = resource;
  const issuedAt = secret?.memory.issuedAt;
  if (renewAt === undefined || issuedAt === undefined || renewAt > now) return undefined;
  // Honoured once: what it brings is issued later than it. What was issued in the future was so by a clock that was wrong.
  if (renewAt <= issuedAt && issuedAt <= now) return undefined;
  return { reason: 'RenewAt', message: `asked for by certwheel.io/renew-at ${toRfc3339(renewAt)}` };
}

/** The certificate is to be revoked, or is: its successor comes first, so that the workload goes on. */
export function isToBeRevoked(seen: Observed, now: Date): Need | undefined {
  if (seen.held === undefined) return undefined;
  const reason = heldIsAskedFor(seen, now);
  if (reason !== undefined) return { reason: 'Revoked', message: `it is asked to be revoked (${reason})` };
  const known = revocationOfHeld(seen);
  return known === undefined
    ? undefined
    : { reason: 'Revoked', message: `the authority revokes it, or has revoked it (${known.reason})` };
}

export function signedByFormerGeneration({ resource, authority, held }: Observed): Need | undefined {
  if (held === undefined || !isAuthority(authority) || !authority.released.has(keyOf(resource))) return undefined;
  if (!isFormer(held, authority)) return undefined;
  return { reason: 'CARotated', message: 'the CA that signed the certificate has a successor' };
}

export function isDue(seen: Observed, now: Date): Need | undefined {
  const { held } = seen;
  if (held === undefined || endsWithItsCA(held, seen)) return undefined;
  const { due } = scheduleOf(seen, held, now);
  return due > now ? undefined : { reason: 'Due', message: `due since ${toRfc3339(due)}` };
}

/**
 * Whether the certificate leads to a CA certificate of the authority, or does so as soon as ca.crt and tls.crt are written
 * anew around it, as under another root above the CA that signs.
 */
export function leadsTo(held: CertificateFacts, { trust, signing }: AuthorityView): boolean {
  return (
    held.anchorFingerprints.some((each) => trust.anchors.has(each)) ||
    held.issuerFingerprint === signing?.fingerprintSHA256
  );
}

/** Whether a certificate is to be re-issued by the CA generation that signs, or by one of those that remain. */
export function isFormer(
  { issuerFingerprint, anchorFingerprints }: Pick<CertificateFacts, 'issuerFingerprint' | 'anchorFingerprints'>,
  { generations, signing, leaving }: Pick<AuthorityView, 'generations' | 'signing' | 'leaving'>,
): boolean {
  if (leaving !== undefined)
    return anchorFingerprints.length > 0 && anchorFingerprints.every((each) => leaving.anchors.has(each));
  const generation = generations.get(issuerFingerprint);
  if (generation === undefined || signing === undefined) return false;
  return !generation.signs && generation.version !== signing.version;
}

/** True where the CA's own end has cut the life short already, so that a renewal would gain nothing. */
export function endsWithItsCA(
  held: Pick<CertificateFacts, 'notAfter'>,
  { authority, secret }: Pick<Observed, 'authority' | 'secret'>,
): boolean {
  // What a fallback signed ends with the CA of that one.
  if (secret?.memory.issuedBy !== undefined) return false;
  return isAuthority(authority) && authority.signing !== undefined && authority.signing.notAfter <= held.notAfter;
}
