import { spawnSync } from 'node:child_process';
import { createHash, type X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Leaf } from './kind.ts';

export interface Asked {
  readonly leaf: Leaf;
  /** OIDs of certificate policies. */
  readonly policies: readonly string[];
}

/**
 * Has openssl sign a leaf of one day into the file `leaf` by the files `signer` and `key`. Throws an Error if openssl can't.
 * `at` gives the path of a file.
 */
export function signLeaf(asked: Asked, signer: X509Certificate, at: (name: string) => string): void {
  const { commonName = 'client' } = asked.leaf;
  const request = 'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -utf8'.split(' ');
  must([...request, '-keyout', at('leaf-key'), '-subj', `/CN=${commonName}`, '-out', at('request')]);
  const files = ['-in', at('request'), '-CA', at('signer'), '-CAkey', at('key'), '-extfile', at('extensions')];
  const sign = () => run(['x509', '-req', ...files, '-set_serial', '4097', '-days', '1', '-out', at('leaf')]);
  const writeExtensions = (keyIdentifier: string) =>
    writeFileSync(at('extensions'), `${[...extensionsOf(asked), keyIdentifier].join('\n')}\n`);
  writeExtensions('authorityKeyIdentifier=keyid');
  if (sign() === undefined) return;
  writeExtensions(keyIdentifierOf(signer));
  const problem = sign();
  if (problem !== undefined) throw new Error(`openssl can't sign a leaf: ${problem}`);
}

/** For a CA that has no subject key identifier, which openssl copies: any hash of the key does (RFC 5280 section 4.2.1.2). */
function keyIdentifierOf(signer: X509Certificate): string {
  const hash = createHash('sha1')
    .update(signer.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return `2.5.29.35=DER:30168014${hash}`;
}

function extensionsOf({ leaf, policies }: Asked): readonly string[] {
  const names = [
    ...(leaf.dnsNames ?? ['client.shop.svc']).map((name) => `DNS:${name}`),
    ...(leaf.uris ?? []).map((uri) => `URI:${uri}`),
    ...(leaf.emailAddresses ?? []).map((address) => `email:${address}`),
    ...(leaf.ipAddresses ?? []).map((address) => `IP:${address}`),
  ];
  return [
    'basicConstraints=critical,CA:false',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=clientAuth${leaf.serverAuth ? ',serverAuth' : ''}`,
    'subjectKeyIdentifier=hash',
    ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
    ...(policies.length > 0 ? [`certificatePolicies=${policies.join(',')}`] : []),
  ];
}

function must(args: readonly string[]): void {
  const problem = run(args);
  if (problem !== undefined) throw new Error(`openssl ${args[0]}: ${problem}`);
}

function run(args: readonly string[]): string | undefined {
  const { status, error, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return status === 0 ? undefined : `${stdout}${stderr}`;
}
