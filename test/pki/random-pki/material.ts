import { sign } from 'node:crypto';
import { integer, NULL, oid, printableString, sequence, set, utf8String } from '../../../src/pki/asn1/write.ts';
import { CERTIFICATE_LABEL } from '../../../src/pki/certificate.ts';
import { keyIdOf, subjectKeyIdExtension } from '../../../src/pki/extensions.ts';
import { newSerialNumber } from '../../../src/pki/issue.ts';
import {
  encodePrivateKey,
  generateKey,
  type KeySpec,
  keySpecOf,
  type PrivateKey,
  publicKeyDer,
} from '../../../src/pki/keys.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { HOUR } from '../make.ts';
import { rawCertificate } from '../raw-certificate.ts';
import { type SignedContent, writeCertificate } from '../write-certificate.ts';
import { diceOf } from './dice.ts';
import { drawFeatures, planOf } from './features.ts';
import type { CertificatePlan, Entity, Identity, Plan, Spelling } from './plan.ts';
import * as raw from './raw-extensions.ts';

/** What a user puts into a Secret, and what is asked of it. */
export interface Material {
  readonly tlsCrt: string;
  readonly tlsKey: string;
  readonly caCrt?: string;
  /** When it is judged. */
  readonly at: Date;
  readonly identity: Identity;
}

/**
 * The PKI of a seed, with fewer features where `features` says so. All decisions come from the seed; keys are new each
 * time.
 */
export async function randomMaterial(
  seed: number,
  features: readonly string[] = drawFeatures(seed),
): Promise<Material> {
  const plan = planOf(seed, features);
  const keys = await Promise.all(plan.entities.map(({ keySpec }, index) => keyFor(keySpec, index)));
  const certificates = writeAll(plan, keys, seed);
  const pemOf = (file: readonly number[]) =>
    file.map((index) => toPem(CERTIFICATE_LABEL, certificates[index] ?? Buffer.alloc(0))).join('');
  return {
    tlsCrt: pemOf(plan.tlsCrt),
    tlsKey: encodePrivateKey(keyAt(keys, plan.signer), 'PKCS8'),
    ...(plan.caCrt.length > 0 && { caCrt: pemOf(plan.caCrt) }),
    at: plan.at,
    identity: plan.identity,
  };
}

// An RSA key takes a tenth of a second to make; entities of one PKI must not share one.
const rsaKeys: Promise<PrivateKey>[] = [];

function keyFor(spec: KeySpec, entity: number): Promise<PrivateKey> {
  if (spec.algorithm !== 'RSA') return generateKey(spec);
  rsaKeys[entity] ??= generateKey(spec);
  return rsaKeys[entity];
}

function keyAt(keys: readonly PrivateKey[], entity: number): PrivateKey {
  const key = keys[entity];
  if (key === undefined) throw new Error(`there is no entity ${entity}`);
  return key;
}

function writeAll(plan: Plan, keys: readonly PrivateKey[], seed: number): Buffer[] {
  const dice = diceOf(seed + 1);
  const serials = plan.certificates.map(() =>
    newSerialNumber(Buffer.from(Array.from({ length: 16 }, () => dice.below(256)))),
  );
  return plan.certificates.map((certificate, index) => {
    // What children say of their issuer refers to its first certificate, as with a CA that has been renewed since.
    const parent = plan.certificates.findIndex(({ subject }) => subject === certificate.issuer);
    const issuer = {
      keyId: keyIdOf(publicKeyDer(keyAt(keys, certificate.issuer))),
      issuerDer: issuerNameOf(plan, plan.certificates[parent] ?? certificate),
      serialNumber: serials[parent] ?? Buffer.of(1),
    };
    return writeOne(plan, certificate, keys, serials[index] ?? Buffer.of(1), issuer);
  });
}

function writeOne(
  plan: Plan,
  certificate: CertificatePlan,
  keys: readonly PrivateKey[],
  serialNumber: Buffer,
  issuer: raw.IssuerIds,
): Buffer {
  const spki = publicKeyDer(keyAt(keys, certificate.subject));
  const hours = (count: number) => new Date(plan.at.getTime() + count * HOUR);
  const content: SignedContent = {
    notBefore: hours(certificate.notBeforeHours),
    notAfter: hours(certificate.notAfterHours),
    serialNumber,
    issuerDer: issuerNameOf(plan, certificate),
    subjectDer: nameOf(plan.entities[certificate.subject], certificate.subjectSpelling),
    publicKeyDer: spki,
    extensions: [
      ...raw.basicConstraints(certificate),
      ...raw.usages(certificate),
      ...(certificate.subjectKeyId ? [subjectKeyIdExtension(keyIdOf(spki))] : []),
      ...raw.authorityKeyId(certificate, issuer),
      ...raw.constraints(certificate),
      ...raw.criticalExtension(certificate),
    ],
    signingKey: keyAt(keys, certificate.issuer),
  };
  const sha1 = certificate.sha1 ? SHA1_ALGORITHMS[keySpecOf(content.signingKey).algorithm] : undefined;
  return sha1 === undefined ? writeCertificate(content) : writeWithSha1(content, sha1);
}

function issuerNameOf(plan: Plan, { issuer, issuerSpelling }: CertificatePlan): Buffer {
  return nameOf(plan.entities[issuer], issuerSpelling);
}

function nameOf(entity: Entity | undefined, spelling: Spelling): Buffer {
  const { commonName, organization } = entity ?? { commonName: '?', organization: '?' };
  const text = (value: string) => {
    if (spelling === 'printable') return printableString(value);
    return utf8String(spelling === 'upper case' ? value.toUpperCase() : value);
  };
  const attribute = (type: string, value: string) => set(sequence(oid(type), text(value)));
  return sequence(attribute('2.5.4.10', organization), attribute('2.5.4.3', commonName));
}

const SHA1_ALGORITHMS: Readonly<Record<string, Buffer>> = {
  ECDSA: sequence(oid('1.2.840.10045.4.1')),
  RSA: sequence(oid('1.2.840.113549.1.1.5'), NULL),
};

/** `writeCertificate` chooses a hash that is good. */
function writeWithSha1({ serialNumber, signingKey, ...content }: SignedContent, algorithm: Buffer): Buffer {
  return rawCertificate({ ...content, serialDer: integer(serialNumber), algorithm }, (tbs) =>
    sign('sha1', tbs, signingKey),
  );
}
