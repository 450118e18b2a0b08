import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRETS } from '../../../../src/api/names.ts';
import { createAuthority } from '../../support/objects.ts';
import type { World } from '../../support/world.ts';

const DAY_MS = 86_400_000;

const CONFIG = `
[req]
distinguished_name = name
[name]
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = made
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

export interface CaFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A self-signed CA as openssl makes it, to the second; only `openssl ca` can set the end. */
export function opensslCa(commonName: string, lifeMs = 30 * 365 * DAY_MS, now = Date.now()): CaFiles {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-ca-'));
  try {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    writeFileSync(join(folder, 'config'), CONFIG);
    writeFileSync(join(folder, 'index.txt'), '');
    mkdirSync(join(folder, 'made'));
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key');
    openssl('req', '-new', '-config', 'config', '-key', 'key', '-subj', `/CN=${commonName}`, '-out', 'csr');
    const dates = ['-startdate', asn1(now - 60_000), '-enddate', asn1(now + lifeMs)];
    openssl(
      'ca',
      '-batch',
      '-selfsign',
      '-config',
      'config',
      '-keyfile',
      'key',
      '-in',
      'csr',
      '-out',
      'crt',
      '-notext',
      ...dates,
    );
    return { certificate: readFileSync(join(folder, 'crt'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function putCaSecret({ cluster }: World, namespace: string, name: string, ca: CaFiles): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': ca.certificate, 'tls.key': ca.key },
  };
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(secret) });
}

/** An authority called `ca` of type `secret`, with its key pair in the Secret `ca-pair`. */
export async function secretAuthority(world: World, namespace: string, ca = opensslCa('Test CA')): Promise<void> {
  await putCaSecret(world, namespace, 'ca-pair', ca);
  const object = { metadata: { namespace, name: 'ca' }, spec: { secret: { name: 'ca-pair' } } };
  await createAuthority(world, object as unknown as Parameters<typeof createAuthority>[1]);
}

export async function deleteSecret({ client }: World, namespace: string, name: string): Promise<void> {
  await client.delete(SECRETS, namespace, name);
}

/** `YYYYMMDDHHMMSSZ`. */
function asn1(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
