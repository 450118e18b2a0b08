/** The openssl command line: certificates made by somebody else's code, and a judgement that isn't ours. */
import { execFile } from 'node:child_process';
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
    await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A root CA that is good for a year. */
export function makeCa(commonName: string): Promise<Pair> {
  return withFiles({}, async (folder) => {
    const files = ['-keyout', 'ca.key', '-out', 'ca.crt'];
    await openssl(
      folder,
      'req',
      '-x509',
      ...P256,
      ...files,
      '-subj',
      `/CN=${commonName}`,
      '-days',
      '365',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    );
    return readPair(folder, 'ca');
  });
}

/** A client certificate of that CA, good for a day. */
export function makeLeaf(ca: Pair, commonName: string): Promise<Pair> {
  const extensions = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n';
  return withFiles({ 'ca.crt': ca.certificate, 'ca.key': ca.key, extensions }, async (folder) => {
    await openssl(
      folder,
      'req',
      '-new',
      ...P256,
      '-keyout',
      'leaf.key',
      '-out',
      'leaf.csr',
      '-subj',
      `/CN=${commonName}`,
    );
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
    await openssl(folder, 'x509', '-req', '-in', 'leaf.csr', ...signer, '-days', '1', '-out', 'leaf.crt');
    return readPair(folder, 'leaf');
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

async function readPair(folder: string, name: string): Promise<Pair> {
  const [certificate, key] = await Promise.all([
    readFile(join(folder, `${name}.crt`), 'utf8'),
    readFile(join(folder, `${name}.key`), 'utf8'),
  ]);
  return { certificate, key };
}
