import type { AuthorityView } from '../certificate/authority-view.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Member } from './plan-types.ts';

/** No hash: a Secret whose files don't agree has an empty one. */
const UNKNOWN = 'unknown';

/**
 * The members of an authority as members of its fallback, which may sign for each of them at any moment: its CA must be in
 * their ca.crt before. `stated` are the CA certificates of the fallback, `view` is the authority; undefined where it hasn't
 * been reconciled yet. What leads to no CA of the authority is none of its certificates, whatever its marks say.
 */
export function standbyMembers(
  members: readonly Member[],
  view: Pick<AuthorityView, 'trust'> | undefined,
  stated: readonly CertificateView[],
): Member[] {
  const isWhole =
    view !== undefined && stated.every(({ fingerprintSHA256 }) => view.trust.anchors.has(fingerprintSHA256));
  const wantedHash = isWhole ? view.trust.hash : UNKNOWN;
  return members
    .filter(
      ({ anchorFingerprints }) => view === undefined || anchorFingerprints.some((each) => view.trust.anchors.has(each)),
    )
    .map((each) => ({ ...each, wantedHash }));
}
