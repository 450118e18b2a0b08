import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from './oci.ts';

/** Writes the layers into one folder, in place of what was there. The Dockerfile copies it. */
export function writeFolder(path: string, layers: readonly Layer[]): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  const all = layers.flatMap(({ entries, seconds }) => entries.map((entry) => ({ entry, seconds })));
  for (const { entry } of all) {
    const target = join(path, entry.path);
    if (entry.kind === 'folder') mkdirSync(target, { recursive: true });
    else writeFileSync(target, entry.content);
    // Whatever the umask says.
    chmodSync(target, entry.mode);
  }
  // Backwards, since a file that is written changes the time of its folder.
  for (const { entry, seconds } of all.reverse()) utimesSync(join(path, entry.path), seconds, seconds);
}
