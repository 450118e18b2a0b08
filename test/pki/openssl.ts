import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
export function openssl(args: readonly string[], files: Files = {}): Outcome {
  return withFiles(files, (folder) => run(args, folder));
}

/** What the command writes into the file `{out}`. Throws an Error with what it said where it fails. */
export function opensslFile(args: readonly string[], files: Files = {}): Buffer {
  return withFiles(files, (folder) => {
    const { ok, text } = run(args, folder);
    if (!ok) throw new Error(text);
    return readFileSync(join(folder, 'out'));
  });
}

type Files = Readonly<Record<string, string | Buffer>>;

function run(args: readonly string[], folder: string): Outcome {
  const paths = args.map((arg) => arg.replace(/^\{(\w+)\}$/, (_, name) => join(folder, name)));
  const { status, stdout, stderr } = spawnSync('openssl', paths, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 24 });
  return { ok: status === 0, out: stdout, text: `${stdout}${stderr}` };
}

function withFiles<T>(files: Files, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
    return use(folder);
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
