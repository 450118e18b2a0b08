import { AuthorityError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { subtreesProblem } from '../../pki/constraints/subtree-problem.ts';
import { encodingProblem } from '../../pki/foreign-encodings.ts';
import { nameOf } from '../../pki/path.ts';
import type { Trust } from '../backend.ts';

/** More would not be read. */
const MOST_TOLD = 10;

/** What goes into ca.crt, and what doesn't, each with the reason, as sentences. */
export interface ReadableTrust {
  readonly trust: Trust;
  readonly leftAside: readonly string[];
}

/**
 * The trust without the anchors that a verifier can't read. No path through such an anchor is good, and one of them stops
 * Java from reading any other in ca.crt: CertificateFactory.generateCertificates throws. Throws an AuthorityError if no
 * anchor is left.
 */
export function readableTrust(stated: Trust): ReadableTrust {
  const unreadable = new Map<CertificateView, string>();
  for (const each of stated.anchors) {
    const problem = anchorProblem(each);
    if (problem !== undefined) unreadable.set(each, `${nameOf(each)} (serial number ${each.serialNumber}) ${problem}`);
  }
  const anchors = stated.anchors.filter((each) => !unreadable.has(each));
  const sentences = [...unreadable.values()];
  const [first] = sentences;
  if (first === undefined) return { trust: stated, leftAside: [] };
  if (anchors.length === 0)
    throw new AuthorityError(
      'TrustBundleRefused',
      `no CA that is to be trusted can be read by all verifiers: ${first}`,
    );
  const more = sentences.length - MOST_TOLD;
  const leftAside = more > 0 ? [...sentences.slice(0, MOST_TOLD), `and ${more} more certificates`] : sentences;
  return { trust: { ...stated, anchors }, leftAside };
}

/** Why some verifier can't read a CA certificate, as the rest of a sentence. */
export function anchorProblem(anchor: CertificateView): string | undefined {
  const encoding = encodingProblem(anchor);
  if (encoding !== undefined) return `is not readable by all verifiers: ${encoding}`;
  return anchor.nameConstraints && subtreesProblem(anchor.nameConstraints);
}
