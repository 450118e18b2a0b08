import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { librariesOf } from './libraries.ts';

export interface ImageContent {
  /** Programs and files by their path in the image; programs bring the libraries that they need. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

/** Makes an image FROM scratch of files of this machine, as an OCI archive that `ctr images import` takes. */
export function makeImage(archivePath: string, name: string, { files, entrypoint }: ImageContent): string {
  const work = mkdtempSync(join(tmpdir(), 'certwheel-image-'));
  try {
    const root = join(work, 'root');
    for (const [path, source] of Object.entries(withLibraries(files))) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      copyFileSync(source, join(root, path));
    }
    const out = join(work, 'out');
    mkdirSync(join(out, 'blobs/sha256'), { recursive: true });
    const blob = (bytes: Buffer | string, mediaType: string) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      writeFileSync(join(out, 'blobs/sha256', digest), bytes);
      return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(bytes) };
    };
    execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', join(work, 'layer.tar'), '.']);
    const layer = blob(readFileSync(join(work, 'layer.tar')), 'application/vnd.oci.image.layer.v1.tar');
    const config = blob(
      JSON.stringify({
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config: { Entrypoint: entrypoint },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
      }),
      'application/vnd.oci.image.config.v1+json',
    );
    const manifestType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = blob(
      JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }),
      manifestType,
    );
    const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations: { 'io.containerd.image.name': name } }] };
    writeFileSync(join(out, 'index.json'), JSON.stringify(index));
    writeFileSync(join(out, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    execFileSync('tar', ['-C', out, '-cf', archivePath, '.']);
    return archivePath;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function withLibraries(files: Readonly<Record<string, string>>): Record<string, string> {
  const programs = Object.values(files).filter((path) => (statSync(path).mode & 0o111) !== 0);
  const libraries = programs.flatMap(librariesOf).map((path) => [path, path]);
  return { ...files, ...Object.fromEntries(libraries) };
}
