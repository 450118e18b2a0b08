import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeCa, makeLeaf, type Pair } from '../../support/openssl.ts';
import { makeProvisionerKey } from './step-provisioner.ts';

// What `step ca init` writes, without the step CLI. step-cli.long.test.ts compares the two.

/** Where the files of a step-ca are, and where it is to listen. */
export interface CaPlace {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** Of the keys of its root and its intermediate, and of the provisioner `admin`. */
  readonly password: string;
}

/** Paths of a root and of the intermediate below that root. */
export type ChainPaths = Readonly<Record<'root' | 'crt' | 'key', string>>;

/** What step writes into every ca.json. */
const TLS = {
  cipherSuites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  minVersion: 1.2,
  maxVersion: 1.3,
  renegotiation: false,
};

export async function writeStepCaFiles(place: CaPlace): Promise<void> {
  const { folder, host, port, password } = place;
  const paths = {
    root: join(folder, 'certs/root_ca.crt'),
    crt: join(folder, 'certs/intermediate_ca.crt'),
    key: join(folder, 'secrets/intermediate_ca_key'),
  };
  const root = await writeChain(paths, password);
  write(join(folder, 'secrets/root_ca_key'), encrypted(root.key, password));
  const { publicJwk, encryptedKey } = makeProvisionerKey(password);
  const config = {
    ...paths,
    federatedRoots: null,
    address: `${host}:${port}`,
    insecureAddress: '',
    dnsNames: [host],
    logger: { format: 'text' },
    db: { type: 'badgerv2', dataSource: join(folder, 'db'), badgerFileLoadingMode: '' },
    authority: { provisioners: [{ type: 'JWK', name: 'admin', key: publicJwk, encryptedKey }] },
    tls: TLS,
  };
  write(join(folder, 'config/ca.json'), JSON.stringify(config));
}

/** A root and an intermediate with names that end in `suffix`; the keys are encrypted. Answers the root. */
export async function writeChain(paths: ChainPaths, password: string, suffix = ''): Promise<Pair> {
  const root = await makeCa(`Test Root CA${suffix}`, { extensions: caExtensions(1) });
  write(paths.root, root.certificate);
  await writeIntermediate(paths, root, password, suffix);
  return root;
}

/** An intermediate below that root, whose name ends in `suffix`. */
export async function writeIntermediate(
  paths: Omit<ChainPaths, 'root'>,
  root: Pair,
  password: string,
  suffix: string,
): Promise<void> {
  const extensions = [...caExtensions(0), 'authorityKeyIdentifier = keyid'];
  const intermediate = await makeCa(`Test Intermediate CA${suffix}`, { extensions, issuer: root });
  write(paths.crt, intermediate.certificate);
  write(paths.key, encrypted(intermediate.key, password));
}

function encrypted(key: string, passphrase: string): string {
  return createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
}

/** A certificate of a server at that address, with its issuer behind it. */
export async function serverCertificate(address: string, issuer: Pair): Promise<{ cert: string; key: string }> {
  const extensions = [
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth, clientAuth',
    'subjectKeyIdentifier = hash',
    'authorityKeyIdentifier = keyid',
    `subjectAltName = IP:${address}`,
  ];
  const { certificate, key } = await makeLeaf(issuer, address, { extensions });
  return { cert: certificate + issuer.certificate, key };
}

function caExtensions(pathLength: number): string[] {
  return [
    'keyUsage = critical, keyCertSign, cRLSign',
    `basicConstraints = critical, CA:true, pathlen:${pathLength}`,
    'subjectKeyIdentifier = hash',
  ];
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
}
