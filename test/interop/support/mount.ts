import { chownSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from './authority.ts';

/** By key of the Secret. */
export type SecretFiles = Readonly<Record<string, string | Uint8Array>>;

/** A Secret that is mounted as a volume. */
export interface Mount {
  readonly directory: string;
  /** Writes another content as a kubelet does: into a new folder, to which the link `..data` changes in one rename. */
  swap(files: SecretFiles): void;
}

/** What a Pod says about the files of a volume: the permissions, and the group that owns them beside root. */
export interface FilePermissions {
  readonly defaultMode?: number;
  readonly fsGroup?: number;
}

let folders = 0;

/** Mounts a Secret into a new folder, laid out as a kubelet does. */
export function mountSecret(
  directory: string,
  files: SecretFiles,
  { defaultMode = 0o644, fsGroup = 0 }: FilePermissions = {},
): Mount {
  mkdirSync(directory, { recursive: true });
  const mount: Mount = {
    directory,
    swap(next) {
      const folder = `..2026_06_01_12_00_00.${++folders}`;
      mkdirSync(join(directory, folder));
      for (const [name, content] of Object.entries(next)) {
        const file = join(directory, folder, name);
        writeFileSync(file, content, { mode: defaultMode });
        if (fsGroup !== 0) chownSync(file, 0, fsGroup);
      }
      const link = join(directory, '..data');
      const former = currentFolder(directory);
      symlinkSync(folder, `${link}_tmp`);
      renameSync(`${link}_tmp`, link);
      for (const name of Object.keys(next)) visible(directory, name);
      // The kubelet removes the former folder at once, while programs may still read in it.
      if (former !== undefined) rmSync(join(directory, former), { recursive: true });
    },
  };
  mount.swap(files);
  return mount;
}

/** The name of the folder that `..data` points to; undefined before the first write. */
export function currentFolder(directory: string): string | undefined {
  try {
    return readlinkSync(join(directory, '..data'));
  } catch {
    return undefined;
  }
}

function visible(directory: string, name: string): void {
  try {
    symlinkSync(join('..data', name), join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The entries of the Secret of a ClientCertificate, with the output format CombinedPEM (key, leaf, intermediates). */
export function secretFiles({ certificate, key, ca }: Credentials): SecretFiles {
  return { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': ca, 'tls-combined.pem': `${key}${certificate}` };
}
