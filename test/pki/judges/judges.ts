import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { openssl } from '../openssl.ts';

/** A path: leaf first, anchor last. */
export type Path = readonly Pick<CertificateView, 'der' | 'pem'>[];

const folder = mkdtempSync(join(tmpdir(), 'certwheel-judges-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

/** What crypto/x509 says of each path as a client's: undefined where it accepts. Built at the first call. */
export function goVerdicts(paths: readonly Path[], now: Date): (string | undefined)[] {
  const program = join(folder, 'go');
  if (!existsSync(program)) run('go', ['build', '-o', program, join(import.meta.dirname, 'go', 'main.go')], '');
  return verdicts(run(program, [seconds(now)], lines(paths)), paths.length);
}

/** What Java's CertPathValidator says of each path: undefined where it accepts. */
export function javaVerdicts(paths: readonly Path[], now: Date): (string | undefined)[] {
  const source = join(import.meta.dirname, 'Judge.java');
  return verdicts(run('java', ['-XX:TieredStopAtLevel=1', source, seconds(now)], lines(paths)), paths.length);
}

/** What `openssl verify` says of a path for each of the purposes: undefined where it accepts. */
export function opensslVerdict(
  path: Path,
  now: Date,
  flags: readonly string[] = [],
  purposes: readonly ('sslclient' | 'sslserver')[] = ['sslclient'],
): string | undefined {
  const [leaf, ...issuers] = path;
  const others = issuers.slice(0, -1).map(({ pem }) => pem);
  const files = { leaf: leaf?.pem ?? '', anchor: issuers.at(-1)?.pem ?? '', others: others.join('') };
  const untrusted = others.length === 0 ? [] : ['-untrusted', '{others}'];
  for (const purpose of purposes) {
    const { ok, text } = openssl(
      [
        ...['verify', ...flags, '-purpose', purpose, '-attime', seconds(now)],
        ...['-CAfile', '{anchor}', ...untrusted, '{leaf}'],
      ],
      files,
    );
    if (!ok) return text.replaceAll('\n', ' ');
  }
  return undefined;
}

function lines(paths: readonly Path[]): string {
  return paths.map((path) => `${path.map(({ der }) => der.toString('base64')).join(' ')}\n`).join('');
}

function seconds(now: Date): string {
  return String(Math.floor(now.getTime() / 1000));
}

function run(command: string, args: readonly string[], input: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
  return stdout;
}

function verdicts(output: string, expected: number): (string | undefined)[] {
  const answers = output.trimEnd().split('\n');
  if (answers.length !== expected) throw new Error(`${answers.length} verdicts on ${expected} paths`);
  return answers.map((answer) => (answer === 'ok' ? undefined : answer));
}
