import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
}

/** Starts the server with `own`, or another `content` of its Secret; `own.ca` is what its clients' certificates must lead to. */
export async function startStage(
  program: ServerProgram,
  own: Credentials,
  content: SecretFiles = secretFiles(own),
  permissions?: FilePermissions,
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const mount = mountSecret(join(folder, 'tls'), content, permissions);
  const files = join(folder, 'server');
  mkdirSync(files);
  const clientCa = join(mount.directory, 'ca.crt');
  const server = await program.start({ directory: mount.directory, clientCa, port: await freePort(), folder: files });
  return { server, mount, own };
}

/** With what a program that failed has printed. */
export function messageOf(error: Error & { stderr?: string; stdout?: string }): string {
  return [error.message, error.stdout, error.stderr].filter(Boolean).join('\n');
}
