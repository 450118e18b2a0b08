import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Outcome {
  readonly ok: boolean;
  readonly out: string;
  /** stdout and stderr. */
  readonly text: string;
}

/**
 * Runs the openssl command synchronously, for unit tests; `{name}` in the arguments stands for a file with that content.
 * e2e tests use test/e2e/support/openssl.ts.
 */
export function openssl(args: readonly string[], files: Readonly<Record<string, string | Buffer>> = {}): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
    const paths = args.map((arg) => arg.replace(/^\{(\w+)\}$/, (_, name) => join(folder, name)));
    const { status, stdout, stderr } = spawnSync('openssl', paths, { encoding: 'utf8', maxBuffer: 1 << 24 });
    return { ok: status === 0, out: stdout, text: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A self-signed certificate (PEM) as openssl makes it. */
export function opensslCertificate(...args: readonly string[]): string {
  const { ok, out, text } = openssl([
    'req',
    '-x509',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-days',
    '3650',
    '-subj',
    '/CN=foreign',
    ...args,
  ]);
  if (!ok) throw new Error(text);
  return out;
}
