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
  /** Starts it anew with the same files on the same port. */
  restart(): Promise<RunningServer>;
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
  const clientCa = join(mount.directory, 'ca.crt');
  const port = await freePort();
  let starts = 0;
  const start = () => {
    const files = join(folder, `server-${++starts}`);
    mkdirSync(files);
    return program.start({ directory: mount.directory, clientCa, port, folder: files });
  };
  const server = await start();
  const restart = async () => {
    await server.stop();
    return start();
  };
  return { server, mount, own, restart };
}

/** With what a program that failed has printed. */
export function messageOf(error: Error & { stderr?: string; stdout?: string }): string {
  return [error.message, error.stdout, error.stderr].filter(Boolean).join('\n');
}
