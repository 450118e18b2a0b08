import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cluster/ports.ts';
import { onStop } from '../../teardown.ts';
import type { Credentials } from './authority.ts';
import { type Mount, mountSecret, secretFiles } from './mount.ts';
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
  { directory }: Mount,
  files = newFolder(),
): Promise<RunningServer> {
  return program.start({ directory, clientCa: join(directory, 'ca.crt'), port: await freePort(), folder: files });
}

/** Starts the server with these files; `own.ca` is what its clients' certificates must lead to. */
export async function startStage(program: ServerProgram, own: Credentials): Promise<Stage> {
  const folder = newFolder();
  const mount = mountSecret(join(newFolder(), 'tls'), secretFiles(own));
  return { server: await startOn(program, mount, folder), mount, own, folder };
}

function newFolder(): string {
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
