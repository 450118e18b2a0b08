import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cluster/ports.ts';
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

/** Starts the server on a Secret that is mounted already; its clients' certificates must lead to the CAs of its ca.crt. */
export async function startOn(
  program: ServerProgram,
  { directory }: Pick<Mount, 'directory'>,
  { port, folder = serverFolder() }: { readonly port?: number; readonly folder?: string } = {},
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
  const folder = serverFolder();
  const mount = mountSecret(join(publicFolder(), 'tls'), content, permissions);
  return { server: await startOn(program, mount, { folder }), mount, own, folder };
}

/** For what a server writes: one level below a folder that other users may enter. */
function serverFolder(): string {
  const files = join(publicFolder(), 'server');
  mkdirSync(files);
  return files;
}

function publicFolder(): string {
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
