import type { ClientCertificate } from '../../api/client-certificate.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import type { AuthorityView } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { keyIsCompromised } from '../revocation/asked.ts';

const MINUTE = 60_000;
/** Workloads need time to load what is published after all. */
const BEFORE_END_MS = 5 * MINUTE;

/**
 * Until when a certificate of a CA that isn't shown to be trusted may be withheld: shortly before the one that the Secret
 * holds ends. Undefined where it is to be published at once, since the Secret holds none of a CA that is trusted, or one whose
 * key is reported as compromised: verifiers are to refuse that one now, whatever they know of the next CA.
 */
export function withheldUntil(
  seen: Observed,
  { usableAnchors, trust, ownTrust = trust }: Pick<AuthorityView, 'usableAnchors' | 'trust' | 'ownTrust'>,
  now: Date,
): Date | undefined {
  const { ours, held } = seen;
  if (usableAnchors === undefined || ours === undefined || held === undefined) return undefined;
  if (keyIsCompromised(seen, now)) return undefined;
  // What its fallback signed is good too.
  const isOfFallback = (anchor: string) => trust.anchors.has(anchor) && !ownTrust.anchors.has(anchor);
  if (!held.anchorFingerprints.some((each) => usableAnchors.has(each) || isOfFallback(each))) return undefined;
  const [beginMs, endMs] = [held.notBefore.getTime(), held.notAfter.getTime()];
  const until = new Date(endMs - Math.min((endMs - beginMs) / 10, BEFORE_END_MS));
  return until > now ? until : undefined;
}

export function withheldMessage(
  { name }: Pick<ClientCertificate, 'name'>,
  anchor: CertificateView | undefined,
  fingerprint: string,
  until: Date,
): string {
  const ca = `the CA ${anchor === undefined ? '' : `${anchor.subjectText} `}(SHA-256 ${fingerprint})`;
  return `the new certificate leads to ${ca}, which is not shown to be trusted yet; it is kept in Secret ${name}-next, and published as soon as that is shown, at the latest at ${toRfc3339(until)}`;
}
