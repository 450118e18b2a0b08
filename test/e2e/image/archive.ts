import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface UnpackedImage {
  readonly root: string;
  readonly entrypoint: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly architecture: string;
  readonly names: Readonly<Record<string, string>>;
  readonly repoTags: readonly string[];
  readonly manifestDigest: string;
}

/** As a container runtime does it: follows the digests, each checked, and unpacks the layers over each other, by tar. */
export function unpack(archive: string, folder: string): UnpackedImage {
  const layout = join(folder, 'layout');
  const root = join(folder, 'root');
  for (const each of [layout, root]) mkdirSync(each);
  execFileSync('tar', ['-xf', archive, '-C', layout]);
  const text = (path: string) => readFileSync(join(layout, path), 'utf8');
  if (JSON.parse(text('oci-layout')).imageLayoutVersion !== '1.0.0') throw new Error('no image layout');
  const blob = ({ digest, size }: Descriptor) => {
    const content = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
    if (hash(content) !== digest || content.length !== size) throw new Error(`${digest} isn't what it says`);
    return content;
  };
  const [described] = JSON.parse(text('index.json')).manifests;
  const manifest = JSON.parse(blob(described).toString());
  const config = JSON.parse(blob(manifest.config).toString());
  manifest.layers.forEach((layer: Descriptor, index: number) => {
    const content = gunzipSync(blob(layer));
    if (hash(content) !== config.rootfs.diff_ids[index]) throw new Error(`layer ${index} isn't what the config says`);
    execFileSync('tar', ['-xpf', '-', '-C', root], { input: content });
  });
  const [forDocker] = JSON.parse(text('manifest.json'));
  const pathOf = ({ digest }: Descriptor) => `blobs/${digest.replace(':', '/')}`;
  if (forDocker.Config !== pathOf(manifest.config) || `${forDocker.Layers}` !== `${manifest.layers.map(pathOf)}`)
    throw new Error('manifest.json, for docker load, names another image than index.json');
  return {
    root,
    entrypoint: config.config.Entrypoint,
    env: config.config.Env,
    user: config.config.User,
    labels: config.config.Labels,
    architecture: config.architecture,
    names: described.annotations,
    repoTags: forDocker.RepoTags,
    manifestDigest: described.digest,
  };
}

function hash(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
