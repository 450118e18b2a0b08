import type { SourceRest } from './ca.ts';
import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { nameOf } from './path.ts';
import type { Path } from './path-search.ts';

interface Roots {
  readonly store: CertificateStore;
  readonly problem: string | undefined;
}

/** More would not be read. */
const MOST_TOLD = 10;

/** The certificates of the source that are not in the chain. */
export function restOf(chain: Path, given: readonly CertificateView[], roots: Roots, now: Date): SourceRest {
  const listed = new Set(chain.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const sentences: string[] = [];
  const beginnings: Date[] = [];
  for (const each of [...given, ...roots.store.seen]) {
    if (listed.has(each.fingerprintSHA256)) continue;
    listed.add(each.fingerprintSHA256);
    if (each.notBefore > now) beginnings.push(each.notBefore);
    sentences.push(`${nameOf(each)} (serial number ${each.serialNumber}) ${reason(each, chain, now)}`);
  }
  if (roots.problem !== undefined) sentences.push(`ca.crt is not needed and not read: ${roots.problem}`);
  const more = sentences.length - MOST_TOLD;
  return {
    leftAside: more > 0 ? [...sentences.slice(0, MOST_TOLD), `and ${more} more certificates`] : sentences,
    reviewAt: beginnings.sort((one, other) => one.getTime() - other.getTime())[0],
  };
}

function reason(certificate: CertificateView, chain: Path, now: Date): string {
  if (now > certificate.notAfter) return `has expired at ${certificate.notAfter.toISOString()}`;
  if (now < certificate.notBefore) return `is not valid before ${certificate.notBefore.toISOString()}`;
  if (!certificate.isCA) return 'is not a CA';
  const used = chain.find(({ subjectDer }) => subjectDer.equals(certificate.subjectDer));
  if (used === undefined) return 'signed no certificate of the chain';
  return used.publicKeyPin === certificate.publicKeyPin
    ? `gives way to the certificate of the same key that is valid until ${used.notAfter.toISOString()}`
    : `has the name of a certificate of the chain and another key`;
}
