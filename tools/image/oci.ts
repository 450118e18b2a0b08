import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { complete, type Entry, file } from './entries.ts';
import { labels, settings } from './settings.ts';
import { createdAt, type Source } from './source.ts';
import { tar } from './tar.ts';

export interface Layer {
  /** What it says in the image's history. */
  readonly what: string;
  readonly entries: readonly Entry[];
  /** Of the files, in seconds since 1970. */
  readonly seconds: number;
}

export interface Image {
  /** Of the manifest: what a registry and a node know the image by. */
  readonly digest: string;
  /** Of an OCI image layout, which docker load takes too. */
  readonly archive: Buffer;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly content: Buffer;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The architecture of this machine, as images call it. */
export function imageArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/** `reference` is `repository:tag`, with or without a registry in front. */
export function ociImage(source: Source, reference: string, layers: readonly Layer[]): Image {
  const tars = layers.map(({ entries, seconds }) => tar(entries, seconds));
  const blobs = tars.map((each) => blob('application/vnd.oci.image.layer.v1.tar+gzip', gzip(each)));
  const config = jsonBlob('application/vnd.oci.image.config.v1+json', {
    created: createdAt(source),
    architecture: imageArchitecture(),
    os: 'linux',
    config: settings(source),
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
    history: layers.map(({ what }) => ({ created: createdAt(source), created_by: what })),
  });
  const manifest = jsonBlob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor(config),
    layers: blobs.map(descriptor),
    annotations: labels(source),
  });
  return {
    digest: manifest.digest,
    archive: archive(reference, manifest, config, blobs, source.seconds),
    compressedBytes: [manifest, config, ...blobs].reduce((sum, { content }) => sum + content.length, 0),
    uncompressedBytes: tars.reduce((sum, { length }) => sum + length, 0),
  };
}

function archive(reference: string, manifest: Blob, config: Blob, layers: readonly Blob[], seconds: number): Buffer {
  const platform = { architecture: imageArchitecture(), os: 'linux' };
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...descriptor(manifest), platform, annotations: names(reference) }],
  };
  const forDocker = [{ Config: pathOf(config), RepoTags: [reference], Layers: layers.map(pathOf) }];
  const entries = [
    file('/oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })),
    file('/index.json', JSON.stringify(index)),
    file('/manifest.json', JSON.stringify(forDocker)),
    ...[manifest, config, ...layers].map((each) => file(`/${pathOf(each)}`, each.content)),
  ];
  return tar(complete(entries), seconds);
}

/**
 * Only the tag, so that whoever imports it chooses the repository; containerd's annotation would leave no choice, so it
 * is there only where a whole name, with its registry, was asked for.
 */
function names(reference: string): Record<string, string> {
  const [, registry = '', tag = ''] = /^(?:([^/]*)\/)?.*:([^:/]+)$/.exec(reference) ?? [];
  const tagged = { 'org.opencontainers.image.ref.name': tag };
  return /[.:]|^localhost$/.test(registry) ? { 'io.containerd.image.name': reference, ...tagged } : tagged;
}

function pathOf({ digest }: Blob): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function descriptor({ mediaType, digest, content }: Blob) {
  return { mediaType, digest, size: content.length };
}

function jsonBlob(mediaType: string, value: unknown): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function blob(mediaType: string, content: Buffer): Blob {
  return { mediaType, digest: sha256(content), content };
}

export function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** zlib writes no time, but the system that it ran on, into the tenth byte; 255 is for unknown. */
function gzip(content: Buffer): Buffer {
  const compressed = gzipSync(content, { level: 6 });
  compressed[9] = 255;
  return compressed;
}
