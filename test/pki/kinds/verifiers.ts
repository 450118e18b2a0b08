import { spawnSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Material } from './material.ts';
import { type Asked, signLeaf } from './sign-leaf.ts';

/** What each verifier says of a leaf of the CA: undefined if it accepts it, else its reason. */
export interface Verdicts {
  readonly openssl: string | undefined;
  readonly opensslStrict: string | undefined;
  readonly go: string | undefined;
}

/** Why crypto/tls of Go can't load tls.crt and tls.key; undefined if it can. */
export function pairProblem({ folder }: Material): string | undefined {
  return problemOf('go-cas', ['pair', join(folder, 'tls.crt'), join(folder, 'tls.key')]);
}

/**
 * Signs a leaf by `openssl x509` and asks the verifiers for a path through all certificates of the material: those that
 * are self-signed are trusted, the others are what a client sends. Nothing here is Certwheel's code.
 */
export function askVerifiers(material: Material, asked: Asked): Verdicts {
  const certificates = [...readable(material.tlsCrt), ...readable(material.caCrt)];
  const key = privateKey(material.tlsKey);
  const signer = signerFor(key, certificates);
  if (signer === undefined) return all('no certificate belongs to the key');
  const at = (name: string) => join(material.folder, `judge-${name}`);
  const write = (name: string, list: readonly X509Certificate[]) => writeFileSync(at(name), list.join(''));
  write('signer', [signer]);
  const roots = certificates.filter(isSelfSigned);
  const untrusted = certificates.filter((each) => !isSelfSigned(each));
  write('roots', roots);
  write('untrusted', untrusted);
  writeFileSync(at('key'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  signLeaf(asked, signer, at);
  const usages = ['sslclient', ...(asked.leaf.serverAuth ? ['sslserver'] : [])];
  // openssl takes a file without any certificate for a mistake of its caller.
  const files = [
    ...(roots.length > 0 ? ['-CAfile', at('roots')] : ['-no-CAfile']),
    ...(untrusted.length > 0 ? ['-untrusted', at('untrusted')] : []),
  ];
  const openssl = (...flags: readonly string[]) =>
    firstProblem(usages, (usage) =>
      refusalOf('openssl', ['verify', ...TRUST, ...flags, '-purpose', usage, ...files, at('leaf')]),
    );
  return {
    openssl: openssl(),
    opensslStrict: openssl('-x509_strict'),
    go: firstProblem(usages, (usage) =>
      refusalOf('go-cas', ['verify', usage, at('leaf'), at('untrusted'), at('roots')]),
    ),
  };
}

const TRUST = ['-no-CApath', '-no-CAstore'];

function all(problem: string): Verdicts {
  return { openssl: problem, opensslStrict: problem, go: problem };
}

function firstProblem(usages: readonly string[], ask: (usage: string) => string | undefined): string | undefined {
  return usages.map(ask).find((problem) => problem !== undefined);
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

let goFolder = '';

/** Where go-cas lies, see `buildGoTools`. */
export function useGoCas(folder: string): void {
  goFolder = folder;
}

function problemOf(program: 'openssl' | 'go-cas', args: readonly string[]): string | undefined {
  const { status, error, stdout, stderr } = spawnSync(program === 'openssl' ? program : join(goFolder, program), args, {
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 ? undefined : `${stdout}${stderr}`.trim();
}

const REFUSALS = { openssl: /error \d+ at \d+ depth lookup/, 'go-cas': /x509: / };

/** Throws an Error if the program failed for another reason than that it refuses the certificate. */
function refusalOf(program: 'openssl' | 'go-cas', args: readonly string[]): string | undefined {
  const problem = problemOf(program, args);
  if (problem !== undefined && !REFUSALS[program].test(problem)) throw new Error(`${program} ${args[0]}: ${problem}`);
  return problem;
}
