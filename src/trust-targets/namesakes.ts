import type { CertificateView } from '../pki/certificate.ts';
import { nameOf } from '../pki/path.ts';
import { type SourceFinding, trustedBy } from './sources.ts';

/** Whose CA certificate it is, for people. */
interface Known {
  readonly certificate: CertificateView;
  readonly of: string;
}

/**
 * The sources without CA certificates that OpenSSL would take for one of the authority, or of a source before them.
 * X509_STORE_CTX_get1_issuer takes the first trusted certificate of the issuer's name that no key id rules out, and tries no
 * other one: with another key it refuses every client of the CA whose name it bears, and with the same key it brings dates and
 * name constraints of its own. So a partner could cut off the clients of others. Within one source it is the partner's affair.
 */
export function withoutNamesakes(
  own: readonly CertificateView[],
  findings: readonly SourceFinding[],
  now: Date,
): readonly SourceFinding[] {
  const known = new Map<string, Known[]>();
  const learn = (certificate: CertificateView, of: string) => {
    const name = foldedName(certificate);
    known.set(name, [...(known.get(name) ?? []), { certificate, of }]);
  };
  for (const each of own) learn(each, 'this authority');
  return findings.map((finding) => {
    const { certificates, name, refused } = finding;
    if (certificates === undefined) return finding;
    const mistakenFor = new Map<CertificateView, Known>();
    for (const each of trustedBy([finding], now)) {
      const found = known.get(foldedName(each))?.find(({ certificate }) => isMistakenFor(each, certificate));
      if (found !== undefined) mistakenFor.set(each, found);
    }
    const kept = certificates.filter((each) => !mistakenFor.has(each));
    for (const each of trustedBy([{ ...finding, certificates: kept }], now)) learn(each, `source ${name}`);
    if (mistakenFor.size === 0) return finding;
    return { ...finding, certificates: kept, refused: [...refused, ...[...mistakenFor].map(sentence)] };
  });
}

function sentence([certificate, { of }]: readonly [CertificateView, Known]): string {
  return `${nameOf(certificate)} has the name of a CA of ${of}, and no subject key id tells the two apart: OpenSSL could refuse all clients of that CA while both are trusted; ask the partner for a CA with a name of its own`;
}

/** Whether OpenSSL can take `each` for the issuer of what `certificate` has signed. */
function isMistakenFor(each: CertificateView, certificate: CertificateView): boolean {
  if (each.fingerprintSHA256 === certificate.fingerprintSHA256) return false;
  const [one, other] = [each.subjectKeyId, certificate.subjectKeyId];
  return one === undefined || other === undefined || one === other;
}

/** Each reconcile asks for the names of all certificates anew. */
const folded = new WeakMap<CertificateView, string>();

/** OpenSSL compares names without letter case, string types and superfluous blanks; this leaves out a little more. */
function foldedName(certificate: CertificateView): string {
  const known = folded.get(certificate);
  if (known !== undefined) return known;
  const made = certificate.subjectText.toLowerCase().replace(/[\s\\]+/g, '');
  folded.set(certificate, made);
  return made;
}
