import type { CertificateView } from '../pki/certificate.ts';
import { nameOf } from '../pki/path.ts';
import { type SourceFinding, trustedBy } from './sources.ts';

/** Whose CA certificate it is, for people. */
interface Known {
  readonly certificate: CertificateView;
  /** Undefined for the authority. */
  readonly source: string | undefined;
}

/**
 * The sources without CA certificates that OpenSSL would take for one of the authority, or of a source before them.
 * X509_STORE_CTX_get1_issuer takes the first trusted certificate of the issuer's name that no key id rules out, and tries no
 * other one: with another key it refuses every client of the CA whose name it bears, and with the same key it brings dates and
 * name constraints of its own. So a partner could cut off the clients of others. Within one source it is the partner's affair.
 * `inForce` are the certificates (SHA-256) that the targets hold already: of two sources what was there first stays, and not
 * what a partner adds later who comes first in the list.
 */
export function withoutNamesakes(
  own: readonly CertificateView[],
  findings: readonly SourceFinding[],
  now: Date,
  inForce: ReadonlySet<string>,
): readonly SourceFinding[] {
  const known = new Map<string, Known[]>();
  const learn = (certificate: CertificateView, source: string | undefined) => {
    const name = foldedName(certificate);
    known.set(name, [...(known.get(name) ?? []), { certificate, source }]);
  };
  for (const each of own) learn(each, undefined);
  const offered = new Map(
    findings.map(({ name, certificates = [] }) => [name, new Set(certificates.map((each) => each.fingerprintSHA256))]),
  );
  // Sources that name the same text share its certificates.
  const mistakenFor = new Map(findings.map((each) => [each, new Map<CertificateView, Known>()]));
  for (const isInForce of [true, false])
    for (const finding of findings) {
      for (const each of trustedBy([finding], now)) {
        if (inForce.has(each.fingerprintSHA256) !== isInForce) continue;
        const namesakes = known.get(foldedName(each)) ?? [];
        const isTrusted = namesakes.some(({ certificate }) => isSame(certificate, each));
        // A source that has both itself may be this one.
        const isItsAffair = ({ source = '' }: Known) => offered.get(source)?.has(each.fingerprintSHA256) === true;
        const found = namesakes.find((other) => !isItsAffair(other) && isMistakenFor(each, other.certificate));
        if (found === undefined || isTrusted) learn(each, finding.name);
        else mistakenFor.get(finding)?.set(each, found);
      }
    }
  return findings.map((finding) => {
    const { certificates, refused } = finding;
    const leftOut = mistakenFor.get(finding);
    if (certificates === undefined || leftOut === undefined || leftOut.size === 0) return finding;
    const kept = certificates.filter((each) => !leftOut.has(each));
    return { ...finding, certificates: kept, refused: [...refused, ...[...leftOut].map(sentence)] };
  });
}

function sentence([certificate, { source }]: readonly [CertificateView, Known]): string {
  const of = source === undefined ? 'this authority' : `source ${source}`;
  return `${nameOf(certificate)} has the name of a CA of ${of}, and no subject key id tells the two apart: OpenSSL could refuse all clients of that CA while both are trusted; ask the partner for a CA with a name of its own`;
}

function isSame(one: CertificateView, other: CertificateView): boolean {
  return one.fingerprintSHA256 === other.fingerprintSHA256;
}

/** Whether OpenSSL can take `each` for the issuer of what `certificate` has signed. */
function isMistakenFor(each: CertificateView, certificate: CertificateView): boolean {
  if (isSame(each, certificate)) return false;
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
