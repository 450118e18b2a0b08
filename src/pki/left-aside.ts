import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { nameOf } from './path.ts';
import type { Path } from './path-search.ts';

interface Roots {
  readonly store: CertificateStore;
  /** How many certificates ca.crt holds. */
  readonly count: number;
  readonly problem: string | undefined;
}

/** More would not be read. */
const MOST_TOLD = 10;

/** The certificates of the source that are not in the chain, each with the reason, as sentences. */
export function leftAside(chain: Path, given: readonly CertificateView[], roots: Roots, now: Date): readonly string[] {
  const told = new Set(chain.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const sentences: string[] = [];
  for (const each of [...given, ...roots.store.seen]) {
    if (told.has(each.fingerprintSHA256)) continue;
    told.add(each.fingerprintSHA256);
    sentences.push(`${nameOf(each)} (serial number ${each.serialNumber}) ${reason(each, chain, now)}`);
  }
  if (roots.problem !== undefined) sentences.push(`ca.crt is not needed and not read: ${roots.problem}`);
  const more = sentences.length - MOST_TOLD;
  return more > 0 ? [...sentences.slice(0, MOST_TOLD), `and ${more} more certificates`] : sentences;
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
