import { type CaPair, type CaPath, caKeyId, idOfChain } from '../../src/pki/ca.ts';
import type { CertificateView } from '../../src/pki/certificate.ts';
import { withoutRoot } from '../../src/pki/chain.ts';
import { type Holder, hoursFromNow, pairOf, root, signIntermediate } from '../pki/make.ts';

/** The CAs between which the model of CA rotations goes back and forth: roots, and the ways in which a CA is renewed. */

const one = await root({ commonName: 'CA 1' });
const above = await root({ commonName: 'Root' });
const below = await signIntermediate(above, { commonName: 'CA below a root' });
const left = await root({ commonName: 'Left root' });
const right = await root({ commonName: 'Right root' });
const middle = await signIntermediate(left, { commonName: 'Middle CA' });
const lowest = await signIntermediate(middle, { commonName: 'CA below two' });

/** A CA below one root, and the same CA below another root. */
export const crossSignedCas: readonly CaPair[] = [
  pairOf(lowest, middle, left),
  pairOf(lowest, await signIntermediate(right, { commonName: 'Middle CA', key: middle.key }), right),
];

/** CAs that are swapped for one another in any order. */
export const cas: readonly CaPair[] = [
  pairOf(one),
  pairOf(await root({ commonName: 'CA 2' })),
  pairOf(await root({ commonName: 'CA 3' })),
  pairOf(below, above),
  pairOf(below, await renewed(above)),
  ...crossSignedCas,
];

/** A root, and the same with a certificate that was renewed under its key. */
export const renewedCas: readonly CaPair[] = [pairOf(one), pairOf(await renewed(one))];

/** The CA of another authority. */
export const foreignCa = pairOf(await root({ commonName: 'Theirs' }));

/** The certificate of a CA once more, with the same key. */
function renewed({ certificate, key }: Holder): Promise<Holder> {
  return root({ commonName: certificate.subject.commonName ?? '', key, notAfter: hoursFromNow(2_000) });
}

/** Whether a verifier with these roots in its ca.crt accepts what the CA signed, with the chain of that CA in tls.crt. */
export function accepts(roots: readonly CertificateView[], ca: CaPath): boolean {
  return rootsOf(roots, ca).length > 0;
}

/** What a Secret with these roots in ca.crt is read to hold: the issuer of its leaf, and the roots to which that leads. */
export function issuerOf(roots: readonly CertificateView[], ca: CaPath) {
  const anchors = rootsOf(roots, ca);
  // Of a root that was renewed with its key, the certificate that lives longest counts.
  const issuer = ca.chain.length === 1 ? (anchors[0] ?? ca.certificate) : ca.certificate;
  return {
    issuerFingerprint: issuer.fingerprintSHA256,
    issuerKeyId: caKeyId(issuer),
    anchorFingerprints: anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256),
    issuersId: idOfChain(withoutRoot(ca.chain)),
  };
}

/** Those above the CA, the longest life first. A root that was renewed with its key and its name verifies the same. */
function rootsOf(roots: readonly CertificateView[], { anchor }: CaPath): readonly CertificateView[] {
  return roots
    .filter((each) => each.publicKeyPin === anchor.publicKeyPin && each.subjectText === anchor.subjectText)
    .sort((one, other) => other.notAfter.getTime() - one.notAfter.getTime());
}
