import { randomBytes } from 'node:crypto';
import { type CaPair, caPath } from '../../src/pki/ca.ts';
import { caSigner } from '../../src/pki/ca-signer.ts';
import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { keyIdOfCa, type LeafRequest, makeRoot, newSerialNumber, signLeaf } from '../../src/pki/issue.ts';
import { encodePrivateKey, generateKey, type KeySpec, type PrivateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName } from '../../src/pki/name.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { signerOf } from '../../src/pki/signer.ts';
import { writeCertificate } from './write-certificate.ts';

/**
 * Real certificates by our own writer, all of them valid around NOW: for tests of code that reads, judges or signs.
 * Certificates that our writer doesn't make have files of their own: constraints in constrained.ts, unusual forms in
 * shaped.ts and strange-ca.ts, the most costly files in costly-files.ts, forged answers in test/forgeries.
 * Where a CA must come from another tool, as an operator brings it, use `makeCa` in test/e2e/support/openssl.ts: it runs
 * OpenSSL. The CA of a test cluster is in test/cluster/certificates.ts, which uses no code of the product.
 */
export const NOW = new Date('2026-06-01T12:00:00Z');
export const HOUR = 3_600_000;
export const P256: KeySpec = { algorithm: 'ECDSA', size: 256 };
export const ALL_KEYS: readonly KeySpec[] = [
  P256,
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'ECDSA', size: 521 },
  { algorithm: 'Ed25519' },
  { algorithm: 'RSA', size: 2048 },
];

export function hoursFromNow(hours: number): Date {
  return new Date(NOW.getTime() + hours * HOUR);
}

export function serial(): Buffer {
  return newSerialNumber(randomBytes(16));
}

/** A certificate with its key. */
export interface Holder {
  readonly certificate: CertificateView;
  readonly key: PrivateKey;
}

interface CaOptions {
  /** In place of a new one: to certify it again, as cross-signing does, or of a kind that Certwheel doesn't make. */
  key?: PrivateKey;
  commonName?: string;
  keySpec?: KeySpec;
  notBefore?: Date;
  notAfter?: Date;
}

export async function root(options: CaOptions = {}): Promise<Holder> {
  const {
    commonName = 'Test CA v1',
    keySpec = P256,
    notBefore = hoursFromNow(-1),
    notAfter = hoursFromNow(1000),
  } = options;
  const key = options.key ?? (await generateKey(keySpec));
  const der = await makeRoot({
    subject: { commonName, organizations: ['Certwheel'] },
    signer: signerOf(key),
    notBefore,
    notAfter,
    serialNumber: serial(),
  });
  return { certificate: parseCertificate(der), key };
}

interface RenewedOptions {
  notBefore?: Date;
  notAfter?: Date;
  /** Beside those of a CA. */
  usages?: readonly string[];
  extensions?: readonly Buffer[];
  /** Whether it has a subject key id. */
  hasKeyId?: boolean;
}

/** Another self-signed certificate for the name and the key of `holder`, with the same dates unless told. */
export function renewedRoot({ certificate, key }: Holder, options: RenewedOptions = {}): Holder {
  const { notBefore = certificate.notBefore, notAfter = certificate.notAfter, hasKeyId = true } = options;
  const spki = publicKeyDer(key);
  const der = writeCertificate({
    notBefore,
    notAfter,
    serialNumber: serial(),
    issuerDer: certificate.subjectDer,
    subjectDer: certificate.subjectDer,
    publicKeyDer: spki,
    extensions: [
      caBasicConstraints(),
      ...usageExtensions(['cert sign', 'crl sign', ...(options.usages ?? [])]),
      ...(hasKeyId ? [subjectKeyIdExtension(keyIdOf(spki))] : []),
      ...(options.extensions ?? []),
    ],
    signingKey: key,
  });
  return { certificate: parseCertificate(der), key };
}

interface IntermediateOptions extends CaOptions {
  pathLength?: number;
  /** In place of those of a CA. */
  extensions?: readonly Buffer[];
}

/** A CA below another one; Certwheel itself never makes any. */
export async function signIntermediate(ca: Holder, options: IntermediateOptions = {}): Promise<Holder> {
  const {
    commonName = 'Test Intermediate',
    keySpec = P256,
    notBefore = hoursFromNow(-1),
    notAfter = hoursFromNow(500),
  } = options;
  const key = options.key ?? (await generateKey(keySpec));
  const spki = publicKeyDer(key);
  const extensions = options.extensions ?? [
    caBasicConstraints(options.pathLength),
    ...usageExtensions(['cert sign', 'crl sign']),
  ];
  const der = writeCertificate({
    notBefore,
    notAfter,
    serialNumber: serial(),
    issuerDer: ca.certificate.subjectDer,
    subjectDer: encodeName({ commonName }),
    publicKeyDer: spki,
    extensions: [
      ...extensions,
      subjectKeyIdExtension(keyIdOf(spki)),
      authorityKeyIdExtension(keyIdOfCa(ca.certificate)),
    ],
    signingKey: ca.key,
  });
  return { certificate: parseCertificate(der), key };
}

export type LeafOptions = Partial<Omit<LeafRequest, 'ca'>> & { keySpec?: KeySpec; key?: PrivateKey };

/** A client's certificate, as asked for or with a common name alone. */
export async function leaf(
  ca: Holder | LeafRequest['ca'],
  { keySpec = P256, key: given, ...request }: LeafOptions = {},
): Promise<Holder> {
  const key = given ?? (await generateKey(keySpec));
  const der = await signLeaf({
    ca: 'signer' in ca ? ca : { ...ca, signer: signerOf(ca.key) },
    publicKeyDer: publicKeyDer(key),
    subject: { commonName: 'client' },
    names: NO_NAMES,
    usages: ['digital signature', 'client auth'],
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(24),
    serialNumber: serial(),
    ...request,
  });
  return { certificate: parseCertificate(der), key };
}

/** The CA of `holder` below `above`, nearest first. */
export function pairOf({ certificate, key }: Holder, ...above: readonly Holder[]): CaPair {
  const chain = [certificate, ...above.map((each) => each.certificate)];
  return { ...caPath(chain), signer: caSigner(key, encodePrivateKey(key, 'PKCS8')) };
}

export function describe(spec: KeySpec): string {
  return 'size' in spec ? `${spec.algorithm} ${spec.size}` : spec.algorithm;
}
