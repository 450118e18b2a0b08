import { spawnSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judges, Verdicts } from '../verifiers/judges.ts';
import type { Material } from './material.ts';
import { type Asked, signLeaf } from './sign-leaf.ts';

/** Why crypto/tls of Go can't load tls.crt and tls.key; undefined if it can. `goTools` as `buildGoTools` answers. */
export function pairProblem({ folder }: Material, goTools: string): string | undefined {
  const args = ['pair', join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const { status, error, stdout, stderr } = spawnSync(join(goTools, 'go-cas'), args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return status === 0 ? undefined : `${stdout}${stderr}`;
}

/**
 * Signs a leaf by `openssl x509` and asks the judges for a path through all certificates of the material: those that are
 * self-signed are trusted, the others are what a client sends. Nothing here is Certwheel's code. Throws an Error if no
 * certificate belongs to the key.
 */
export async function askVerifiers(judges: Judges, material: Material, asked: Asked): Promise<Verdicts> {
  const certificates = [...readable(material.tlsCrt), ...readable(material.caCrt)];
  const key = privateKey(material.tlsKey);
  const signer = signerFor(key, certificates);
  if (signer === undefined) throw new Error('no certificate belongs to the key');
  const at = (name: string) => join(material.folder, `judge-${name}`);
  writeFileSync(at('signer'), signer.toString());
  writeFileSync(at('key'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  signLeaf(asked, signer, at);
  return judges.judge({
    leaf: new X509Certificate(readFileSync(at('leaf'))).raw,
    intermediates: certificates.filter((each) => !isSelfSigned(each)).map(({ raw }) => raw),
    anchors: certificates.filter(isSelfSigned).map(({ raw }) => raw),
    at: new Date(),
    serverAuth: asked.leaf.serverAuth === true,
  });
}

const BLOCK = /-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END (?:X509 )?CERTIFICATE-----/g;

/** What Node can't read is left out, as a verifier can't use it either. */
function readable(pem: Buffer | undefined): X509Certificate[] {
  return [...(pem?.toString('latin1') ?? '').matchAll(BLOCK)].flatMap(([, base64 = '']) => {
    try {
      return [new X509Certificate(Buffer.from(base64, 'base64'))];
    } catch {
      return [];
    }
  });
}

function privateKey(pem: Buffer): KeyObject {
  const [block] =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/.exec(pem.toString('latin1')) ?? [];
  return createPrivateKey(block ?? pem);
}

function signerFor(key: KeyObject, certificates: readonly X509Certificate[]): X509Certificate | undefined {
  const now = Date.now();
  const valid = (each: X509Certificate) => Date.parse(each.validFrom) <= now && now <= Date.parse(each.validTo);
  const own = certificates.filter((each) => each.checkPrivateKey(key));
  return own.sort(
    (one, other) => Number(valid(other)) - Number(valid(one)) || Date.parse(other.validTo) - Date.parse(one.validTo),
  )[0];
}

function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}
