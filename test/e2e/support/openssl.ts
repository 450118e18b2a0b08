/** The openssl command line: certificates that other code has made, and a verdict that isn't ours. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Throws with what openssl prints when it fails. */
export async function openssl(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('openssl', args, { cwd: folder });
  return stdout;
}

/** A folder with these files, for as long as `use` takes. */
export async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-openssl-'));
  try {
    await Promise.all(
      Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content, { mode: 0o600 })),
    );
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const DAY_MS = 24 * 3_600_000;

export type KeyKind = 'RSA' | 'P-256' | 'P-384' | 'Ed25519';

interface Wish {
  readonly organization?: string;
  readonly keyKind?: KeyKind;
  /** `openssl genpkey` writes PKCS#8; the older forms are PKCS#1 for RSA and SEC1 for elliptic curves. */
  readonly keyForm?: 'PKCS8' | 'PKCS1' | 'SEC1';
  readonly encryptedWith?: string;
  /** A day ago. */
  readonly notBefore?: Date;
  /** In 30 years, so that a test may set its clock ten years forward. */
  readonly notAfter?: Date;
  readonly extensions?: readonly string[];
  /** In hex of even length; a random one unless told. */
  readonly serial?: string;
  /** The CA that signs it; without one it signs itself. */
  readonly issuer?: Pair;
  /** A key to certify again, as for a CA that is renewed without a new key. */
  readonly key?: string;
}

/** A certificate by OpenSSL, with what tests compare it with. */
export interface CaFiles extends Pair {
  readonly x509: X509Certificate;
  /** The root above it, where it isn't one itself. */
  readonly root?: string | undefined;
}

const CA_EXTENSIONS = [
  'basicConstraints = critical, CA:true',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
];
const CLIENT_EXTENSIONS = ['keyUsage = critical, digitalSignature', 'extendedKeyUsage = clientAuth'];

/**
 * A CA as an operator makes it with the openssl command line: for Secrets that a test brings to the cluster. For CAs that
 * a test of our own code reads or signs with, use test/pki/make.ts, which is faster.
 */
export function makeCa(commonName: string, wish: Wish = {}): Promise<CaFiles> {
  return certify(commonName, { extensions: CA_EXTENSIONS, ...wish });
}

/** A client certificate of that CA, good for a day unless told. */
export function makeLeaf(issuer: Pair, commonName: string, wish: Wish = {}): Promise<CaFiles> {
  return certify(commonName, { extensions: CLIENT_EXTENSIONS, notAfter: inDays(1), ...wish, issuer });
}

async function certify(commonName: string, wish: Wish & Pick<Required<Wish>, 'extensions'>): Promise<CaFiles> {
  const { organization, notBefore = inDays(-1), notAfter = inDays(30 * 365), issuer } = wish;
  const key = wish.key ?? (await makeKey(wish));
  const signedBy = issuer && { 'issuer.crt': issuer.certificate, 'issuer.key': issuer.key };
  const files = {
    'ca.key': key,
    'ca.cnf': configuration(wish.extensions),
    index: '',
    ...(wish.serial && { serial: wish.serial }),
    ...signedBy,
  };
  return withFiles(files, async (folder) => {
    const config = ['-config', 'ca.cnf'];
    const open = wish.encryptedWith === undefined ? [] : ['-passin', `pass:${wish.encryptedWith}`];
    const subject = `${organization === undefined ? '' : `/O=${organization}`}/CN=${commonName}`;
    await openssl(folder, 'req', '-new', '-key', 'ca.key', ...open, '-out', 'ca.csr', '-subj', subject, ...config);
    // Only `openssl ca` can set both dates.
    const signer = issuer
      ? ['-cert', 'issuer.crt', '-keyfile', 'issuer.key']
      : ['-selfsign', '-keyfile', 'ca.key', ...open];
    const validity = ['-startdate', asn1Time(notBefore), '-enddate', asn1Time(notAfter)];
    const command = ['ca', '-batch', '-notext', '-create_serial', ...config, ...signer, ...validity];
    await openssl(folder, ...command, '-in', 'ca.csr', '-out', 'ca.crt');
    const certificate = await readFile(join(folder, 'ca.crt'), 'utf8');
    return { certificate, key, x509: new X509Certificate(certificate), root: issuer?.certificate };
  });
}

async function makeKey({ keyKind = 'P-256', keyForm = 'PKCS8', encryptedWith }: Wish): Promise<string> {
  const kinds: Record<KeyKind, readonly string[]> = {
    RSA: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    Ed25519: ['-algorithm', 'ED25519'],
  };
  const encrypted = encryptedWith === undefined ? [] : ['-aes256', '-pass', `pass:${encryptedWith}`];
  const key = await openssl('.', 'genpkey', ...kinds[keyKind], ...encrypted);
  if (keyForm === 'PKCS8') return key;
  return withFiles({ key }, (folder) => openssl(folder, 'pkey', '-traditional', '-in', 'key'));
}

function configuration(extensions: readonly string[]): string {
  return `
[req]
distinguished_name = name
[name]
[ca]
default_ca = test
[test]
database = index
serial = serial
new_certs_dir = .
default_md = default
unique_subject = no
policy = anything
x509_extensions = v3
[anything]
organizationName = optional
commonName = supplied
[v3]
${extensions.join('\n')}
`;
}

/** A CRL (PEM) without entries, as an operator makes it for a root. */
export function makeCrl(issuer: Pair): Promise<string> {
  const files = { 'ca.crt': issuer.certificate, 'ca.key': issuer.key, 'ca.cnf': configuration([]), index: '' };
  return withFiles(files, async (folder) => {
    const signer = ['-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key'];
    await openssl(folder, 'ca', '-gencrl', ...signer, '-crldays', '7', '-out', 'ca.crl');
    return readFile(join(folder, 'ca.crl'), 'utf8');
  });
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

/** `YYYYMMDDHHMMSSZ`. */
function asn1Time(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}

/** `openssl verify` of the first certificate of `chain`, as strict as it can; answers what it prints on success. */
export function opensslVerify(chain: string, anchors: string): Promise<string> {
  return withFiles({ 'chain.pem': chain, 'ca.pem': anchors }, async (folder) => {
    const files = ['-CAfile', 'ca.pem', '-untrusted', 'chain.pem', 'chain.pem'];
    return (await openssl(folder, 'verify', '-purpose', 'sslclient', '-x509_strict', ...files)).trim();
  });
}

/** The `data` of a kubernetes.io/tls Secret. */
export function tlsData({ certificate, key }: Pair, ca?: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ 'tls.crt': certificate, 'tls.key': key, ...(ca === undefined ? {} : { 'ca.crt': ca }) }).map(
      ([name, text]) => [name, Buffer.from(text).toString('base64')],
    ),
  );
}
