import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SECRETS } from '../../../src/api/names.ts';
import type { World } from '../support/world.ts';

const run = promisify(execFile);
const DAY = 24 * 3_600_000;

/** A CA as an operator makes it with the openssl command line. */
export interface CaFiles {
  readonly certificate: string;
  readonly key: string;
  readonly x509: X509Certificate;
  /** The root above it, where it isn't one itself. */
  readonly root?: string | undefined;
}

export type KeyKind = 'RSA' | 'P-256' | 'P-384' | 'Ed25519';

interface CaWish {
  readonly commonName: string;
  readonly keyKind?: KeyKind;
  /** What `openssl genpkey` writes is PKCS#8; the older forms are PKCS#1 for RSA and SEC1 for elliptic curves. */
  readonly keyForm?: 'PKCS8' | 'PKCS1' | 'SEC1';
  readonly encryptedWith?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly string[];
  /** Who signs it; itself unless given. */
  readonly issuer?: Pick<CaFiles, 'certificate' | 'key'>;
  /** To certify a key again, as a CA that is renewed without a new key. */
  readonly key?: string;
}

const CA_EXTENSIONS = [
  'basicConstraints = critical, CA:true',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
];

export async function makeCa(wish: CaWish): Promise<CaFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-ca-'));
  const file = (name: string) => join(folder, name);
  try {
    const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + 3650 * DAY) } = wish;
    await writeFile(file('ca.cnf'), configuration(folder, wish.extensions ?? CA_EXTENSIONS));
    await writeFile(file('index'), '');
    const key = wish.key ?? (await makeKey(wish));
    await writeFile(file('ca.key'), key, { mode: 0o600 });
    const open = wish.encryptedWith === undefined ? [] : ['-passin', `pass:${wish.encryptedWith}`];
    const subject = ['-subj', `/O=Test/CN=${wish.commonName}`, '-config', file('ca.cnf')];
    await run('openssl', ['req', '-new', '-key', file('ca.key'), ...open, '-out', file('ca.csr'), ...subject]);
    if (wish.issuer !== undefined) {
      await writeFile(file('issuer.crt'), wish.issuer.certificate);
      await writeFile(file('issuer.key'), wish.issuer.key, { mode: 0o600 });
    }
    const signer =
      wish.issuer === undefined
        ? ['-selfsign', '-keyfile', file('ca.key'), ...open]
        : ['-cert', file('issuer.crt'), '-keyfile', file('issuer.key')];
    const validity = ['-startdate', asn1Time(notBefore), '-enddate', asn1Time(notAfter)];
    const command = ['ca', '-batch', '-notext', '-create_serial', '-config', file('ca.cnf'), ...signer, ...validity];
    await run('openssl', [...command, '-in', file('ca.csr'), '-out', file('ca.crt')]);
    const certificate = await readFile(file('ca.crt'), 'utf8');
    return { certificate, key, x509: new X509Certificate(certificate), root: wish.issuer?.certificate };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeKey({ keyKind = 'P-256', keyForm = 'PKCS8', encryptedWith }: CaWish): Promise<string> {
  const kinds: Record<KeyKind, readonly string[]> = {
    RSA: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    Ed25519: ['-algorithm', 'ED25519'],
  };
  const encrypted = encryptedWith === undefined ? [] : ['-aes256', '-pass', `pass:${encryptedWith}`];
  const { stdout } = await run('openssl', ['genpkey', ...kinds[keyKind], ...encrypted]);
  return keyForm === 'PKCS8' ? stdout : await convert(stdout);
}

/** The same key in the older form of its algorithm: PKCS#1 or SEC1. */
async function convert(key: string): Promise<string> {
  const running = run('openssl', ['pkey', '-traditional']);
  running.child.stdin?.end(key);
  return (await running).stdout;
}

function configuration(folder: string, extensions: readonly string[]): string {
  return `
[req]
distinguished_name = name
[name]
[ca]
default_ca = demo
[demo]
database = ${folder}/index
serial = ${folder}/serial
new_certs_dir = ${folder}
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

function asn1Time(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}

/** `openssl verify` of the first certificate of `chain`, as strict as it can; answers what it says on top. */
export async function opensslVerify(chain: string, anchors: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-verify-'));
  try {
    await writeFile(join(folder, 'chain.pem'), chain);
    await writeFile(join(folder, 'ca.pem'), anchors);
    const files = [
      '-CAfile',
      join(folder, 'ca.pem'),
      '-untrusted',
      join(folder, 'chain.pem'),
      join(folder, 'chain.pem'),
    ];
    const { stdout } = await run('openssl', ['verify', '-purpose', 'sslclient', '-x509_strict', ...files]);
    return stdout.trim().replace(`${folder}/`, '');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The Secret of a CA pair as an operator puts it there, or another pair in place of the former. */
export async function putCaSecret(
  { client }: World,
  namespace: string,
  name: string,
  content: Readonly<Record<string, string>>,
): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, Buffer.from(value, 'latin1').toString('base64')]),
  );
  await client.apply(SECRETS, { metadata: { namespace, name }, type: 'Opaque', data });
}

export function pairData({ certificate, key, root }: CaFiles): Record<string, string> {
  return { 'tls.crt': certificate, 'tls.key': key, ...(root === undefined ? {} : { 'ca.crt': root }) };
}
