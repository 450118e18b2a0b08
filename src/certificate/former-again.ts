import { RetryableError } from '../errors.ts';
import { nameOf } from '../pki/path.ts';
import type { AuthorityView } from './authority-view.ts';
import { isDue, isFormer } from './decision/needs.ts';
import type { Observed, RotationReason } from './observed.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';
import { composeIssued } from './secret/compose.ts';

/**
 * Throws a RetryableError where a re-issue brought a certificate of the CA that leaves once more, as while another machine
 * states only its new CA and signs with the former one. Published, it would be re-issued at once, and so without end. One that
 * is due is needed all the same, since the former CA is trusted until its last certificate ends.
 */
export function assertNotFormerAgain(
  reason: RotationReason | undefined,
  made: UnpublishedCertificate,
  seen: Observed,
  view: AuthorityView,
  now: Date,
): void {
  // Our own CAs sign with the generation that is to sign.
  if (reason !== 'CARotated' || !view.capabilities.remote || isDue(seen, now) !== undefined) return;
  const { issuer, anchors } = composeIssued(seen, view, made, now).content;
  const facts = {
    issuerFingerprint: issuer.fingerprintSHA256,
    anchorFingerprints: anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256),
  };
  if (!isFormer(facts, view)) return;
  const [anchor = issuer] = anchors;
  throw new RetryableError(
    'InvalidAnswer',
    `the authority signed with ${nameOf(issuer)} below the CA ${nameOf(anchor)} (SHA-256 ${anchor.fingerprintSHA256}), which it states no more: have it sign with one of the CAs that it states, or state that CA again until it does`,
  );
}
