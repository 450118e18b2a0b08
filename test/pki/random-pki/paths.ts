import { type CertificateView, parseCertificates, verifySignature } from '../../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  policyExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber } from '../../../src/pki/issue.ts';
import { type PrivateKey, parsePrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { encodeName } from '../../../src/pki/name.ts';
import { isSelfSigned } from '../../../src/pki/signed-by.ts';
import { HOUR } from '../make.ts';
import { writeCertificate } from '../write-certificate.ts';
import { OTHER_POLICY, POLICY } from './constraint-features.ts';
import type { Material } from './material.ts';
import { LEAF_HOURS } from './verdict.ts';

/** Found by brute force, without the code under test: verifiers say which of them are good. */
export interface Path {
  /** Nearest to the leaf first, the self-signed one last. */
  readonly issuers: readonly CertificateView[];
  /** A leaf (DER) of the material's identity, signed by the first issuer, with these certificate policies. */
  readonly leaf: (policies: readonly string[]) => Buffer;
}

/** A leaf that carries them meets whatever the generated CAs require. */
export const GENERATED_POLICIES: readonly string[] = [POLICY, OTHER_POLICY];

const MAX_PATHS = 24;
const MAX_DEPTH = 7;
// Roots of one key that spell their issuers otherwise have all issued each other: each order of them would be a path.
const MAX_SAME_KEY = 2;

/** Every path from a leaf that the material's key signs to a self-signed certificate in the material, as far as it is in time. */
export function pathsOf(material: Material, leafPublicKey: Buffer): Path[] {
  const key = parsePrivateKey(material.tlsKey);
  const parsed = parseCertificates(`${material.tlsCrt}${material.caCrt ?? ''}`);
  const all = [...new Map(parsed.map((each) => [each.fingerprintSHA256, each])).values()];
  const valid = all.filter(({ notBefore, notAfter }) => notBefore <= material.at && notAfter > material.at);
  const signers = valid.filter((each) => each.publicKeyDer.equals(publicKeyDer(key)));
  const found: (readonly CertificateView[])[] = [];
  for (const signer of signers) climb([signer], valid, found);
  return found.map((issuers) => ({
    issuers,
    leaf: (policies) => writeLeaf(material, issuers, { key, leafPublicKey, policies }),
  }));
}

function climb(
  path: readonly CertificateView[],
  all: readonly CertificateView[],
  found: (readonly CertificateView[])[],
): void {
  const tip = path.at(-1);
  if (tip === undefined || path.length > MAX_DEPTH || found.length === MAX_PATHS) return;
  if (isSelfSigned(tip)) {
    found.push(path);
    return;
  }
  for (const each of all)
    if (!path.includes(each) && timesInPath(path, each) < MAX_SAME_KEY && mayHaveIssued(each, tip))
      climb([...path, each], all, found);
}

function timesInPath(path: readonly CertificateView[], { publicKeyPin }: CertificateView): number {
  return path.filter((each) => each.publicKeyPin === publicKeyPin).length;
}

// Looser than any verifier: names in any case and string type, key ids not at all.
function mayHaveIssued(issuer: CertificateView, child: CertificateView): boolean {
  return issuer.subjectText.toLowerCase() === child.issuerText.toLowerCase() && verifySignature(child, issuer);
}

interface LeafParts {
  readonly key: PrivateKey;
  readonly leafPublicKey: Buffer;
  readonly policies: readonly string[];
}

function writeLeaf(
  { at, identity }: Material,
  issuers: readonly CertificateView[],
  { key, leafPublicKey, policies }: LeafParts,
): Buffer {
  const [signer] = issuers;
  if (signer === undefined) throw new Error('a path without an issuer');
  const end = Math.min(at.getTime() + LEAF_HOURS * HOUR, ...issuers.map(({ notAfter }) => notAfter.getTime()));
  return writeCertificate({
    notBefore: new Date(at.getTime() - HOUR),
    notAfter: new Date(end),
    serialNumber: newSerialNumber(Buffer.alloc(16, 1)),
    issuerDer: signer.subjectDer,
    subjectDer: encodeName(identity.subject),
    publicKeyDer: leafPublicKey,
    extensions: [
      LEAF_BASIC_CONSTRAINTS,
      ...usageExtensions(identity.usages),
      subjectKeyIdExtension(keyIdOf(leafPublicKey)),
      authorityKeyIdExtension(keyIdOfCa(signer)),
      ...nameExtensions(identity.names, Object.keys(identity.subject).length === 0),
      ...policyExtensions(policies),
    ],
    signingKey: key,
  });
}
