import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLdd } from '../../../tools/image/debian.ts';
import { complete, file } from '../../../tools/image/entries.ts';
import { ociImage } from '../../../tools/image/oci.ts';
import { readSource } from '../../../tools/image/source.ts';

const ROOT = join(import.meta.dirname, '../../..');

export interface ImageContent {
  /** Programs and files by their path in the image; programs bring the libraries that they need. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

/** Makes an image FROM scratch of files of this machine, as an OCI archive; answers its path. */
export function makeImage(archivePath: string, name: string, { files, entrypoint }: ImageContent): string {
  const isProgram = (path: string) => (statSync(path).mode & 0o111) !== 0;
  const libraries = Object.values(files).filter(isProgram).flatMap(librariesOf);
  const sources = { ...files, ...Object.fromEntries(libraries.map((path) => [path, path])) };
  const entries = Object.entries(sources).map(([path, source]) =>
    file(path, readFileSync(source), isProgram(source) ? 0o755 : 0o644),
  );
  const layers = [{ what: 'programs of this machine', entries: complete(entries), seconds: 0 }];
  writeFileSync(archivePath, ociImage(readSource(ROOT), name, layers, { Entrypoint: entrypoint }).archive);
  return archivePath;
}

/** What the dynamic loader would load for it, the loader included: nothing for a static program. */
function librariesOf(program: string): string[] {
  try {
    return parseLdd(execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
  } catch (error) {
    if (String((error as { stderr?: string }).stderr).includes('not a dynamic executable')) return [];
    throw error;
  }
}
