import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cluster/ports.ts';
import { retryWhilePortTaken } from '../../cluster/ready.ts';
import { onStop } from '../../teardown.ts';
import type { Credentials } from './authority.ts';
import { type FilePermissions, type Mount, mountSecret, type SecretFiles, secretFiles } from './mount.ts';
import type { RunningServer, ServerProgram } from './reader.ts';

/** A server, and the mounted Secret that it reads. */
export interface Stage {
  readonly server: RunningServer;
  readonly mount: Mount;
  readonly own: Credentials;
  /** Where its log is, as NAME.log. */
  readonly folder: string;
}

interface Place {
  /** For its files; a new one unless given. */
  readonly folder?: string;
  readonly port?: number;
}

/** Starts the server on a Secret that is mounted already; its clients' certificates must lead to the CAs of its ca.crt. */
export async function startOn(
  program: ServerProgram,
  { directory }: Mount,
  { folder = newFolder(), port }: Place = {},
): Promise<RunningServer> {
  const clientCa = join(directory, 'ca.crt');
  return program.start({ directory, clientCa, port: port ?? (await freePort()), folder });
}

/** Starts the server with `own`, or another `content` of its Secret; `own.ca` is what its clients' certificates must lead to. */
export async function startStage(
  program: ServerProgram,
  own: Credentials,
  content: SecretFiles = secretFiles(own),
  permissions?: FilePermissions,
): Promise<Stage> {
  const mount = mountSecret(join(newFolder(), 'tls'), content, permissions);
  const start = async () => {
    const folder = newFolder();
    return { folder, server: await startOn(program, mount, { folder }) };
  };
  return { ...(await retryWhilePortTaken(3, start)), mount, own };
}

/** For the files of a server, removed after the tests of the file. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-'));
  // Servers that drop their root privileges read their documents as another user.
  chmodSync(folder, 0o755);
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** With what a program that failed has printed. */
export function messageOf(error: Error & { stderr?: string; stdout?: string }): string {
  return [error.message, error.stdout, error.stderr].filter(Boolean).join('\n');
}
