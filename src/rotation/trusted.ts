import type { CertificateView } from '../pki/certificate.ts';
import type { Rotating } from './deps.ts';
import { isInBundle } from './generation.ts';

/**
 * What verifiers must accept at this moment: what the backend says, and each generation until no certificate of it is left.
 * Nothing while that isn't known: what is known alone would look like all there is.
 */
export function trustedNow({
  backend,
  trusted,
  generations,
}: Pick<Rotating, 'backend' | 'trusted' | 'generations'>): readonly CertificateView[] {
  const ofGenerations = generations.filter(isInBundle).map(({ path }) => path.anchor);
  // With the key at hand, a generation is all there is to know.
  if (backend.keyPair !== undefined) return ofGenerations;
  const { anchors, offered } = trusted;
  if (anchors.length === 0 && offered === undefined) return [];
  const known = new Set(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  return [...anchors, ...ofGenerations.filter((each) => !known.has(each.fingerprintSHA256))];
}
