import { type CertificateView, parseCertificates, verifySignature } from '../../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber, writeCertificate } from '../../../src/pki/issue.ts';
import { type PrivateKey, parsePrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { encodeName } from '../../../src/pki/name.ts';
import { isSelfSigned } from '../../../src/pki/signed-by.ts';
import type { Material } from './material.ts';
import { LEAF_HOURS } from './verdict.ts';

/** Found by brute force, without the code under test: verifiers say which of them are good. */
export interface Path {
  /** Of the material's identity, signed by the first issuer. */
  readonly leaf: Buffer;
  /** Nearest to the leaf first, the self-signed one last. */
  readonly issuers: readonly CertificateView[];
}

const MAX_PATHS = 24;
const MAX_DEPTH = 7;
const HOUR = 3_600_000;

/** Every path from a leaf that the material's key signs to a self-signed certificate in the material. */
export function pathsOf(material: Material, leafPublicKey: Buffer): Path[] {
  const key = parsePrivateKey(material.tlsKey);
  const parsed = parseCertificates(`${material.tlsCrt}${material.caCrt ?? ''}`);
  const all = [...new Map(parsed.map((each) => [each.fingerprintSHA256, each])).values()];
  const signers = all.filter((each) => each.publicKeyDer.equals(publicKeyDer(key)));
  const found = signers.flatMap((signer) => climb([signer], all)).slice(0, MAX_PATHS);
  return found
    .flatMap((issuers) => writeLeaf(material, issuers, key, leafPublicKey))
    .map(({ leaf, issuers }) => ({ leaf, issuers }));
}

function climb(path: readonly CertificateView[], all: readonly CertificateView[]): (readonly CertificateView[])[] {
  const tip = path.at(-1);
  if (tip === undefined || path.length > MAX_DEPTH) return [];
  if (isSelfSigned(tip)) return [path];
  return all
    .filter((each) => !path.includes(each) && mayHaveIssued(each, tip))
    .flatMap((each) => climb([...path, each], all));
}

// Looser than any verifier: names in any case and string type, key ids not at all.
function mayHaveIssued(issuer: CertificateView, child: CertificateView): boolean {
  return issuer.subjectText.toLowerCase() === child.issuerText.toLowerCase() && verifySignature(child, issuer);
}

function writeLeaf(
  { at, identity }: Material,
  issuers: readonly CertificateView[],
  signingKey: PrivateKey,
  leafPublicKey: Buffer,
): Path[] {
  const [signer] = issuers;
  if (signer === undefined) return [];
  const subjectDer = encodeName(identity.subject);
  const end = Math.min(at.getTime() + LEAF_HOURS * HOUR, ...issuers.map(({ notAfter }) => notAfter.getTime()));
  if (end < at.getTime()) return [];
  const leaf = writeCertificate({
    notBefore: new Date(at.getTime() - HOUR),
    notAfter: new Date(end),
    serialNumber: newSerialNumber(Buffer.alloc(16, 1)),
    issuerDer: signer.subjectDer,
    subjectDer,
    publicKeyDer: leafPublicKey,
    extensions: [
      LEAF_BASIC_CONSTRAINTS,
      ...usageExtensions(identity.usages),
      subjectKeyIdExtension(keyIdOf(leafPublicKey)),
      authorityKeyIdExtension(keyIdOfCa(signer)),
      ...nameExtensions(identity.names, Object.keys(identity.subject).length === 0),
    ],
    signingKey,
  });
  return [{ leaf, issuers }];
}
