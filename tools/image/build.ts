import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appFiles } from './app-files.ts';
import { distribution } from './debian.ts';
import { complete } from './entries.ts';
import { writeFolder } from './folder.ts';
import { type Image, type Layer, ociImage } from './oci.ts';
import { pkcs11Files } from './pkcs11-files.ts';
import { runtimeFiles } from './runtime-files.ts';
import { sbom } from './sbom.ts';
import { pkcs11Settings, settings } from './settings.ts';
import { readSource } from './source.ts';

export interface Built extends Image {
  readonly reference: string;
  readonly archivePath: string;
  readonly folderPath: string;
  readonly sbomPath: string;
}

/** `pkcs11` is the image for authorities whose keys are in an HSM. */
export type Variant = 'plain' | 'pkcs11';

/** Makes the root filesystem, the archive and the SBOM from the sources in `root`, below `root`/dist. */
export async function buildImage(root: string, variant: Variant, wanted?: string): Promise<Built> {
  checkNode(root);
  const plain = readSource(root);
  const suffix = variant === 'plain' ? '' : `-${variant}`;
  const source = { ...plain, name: `${plain.name}${suffix}` };
  const reference = wanted ?? `${plain.name}/${source.name}:${source.version}`;
  if (!/^[a-z0-9][a-z0-9._:/-]*:[\w.-]+$/.test(reference))
    throw new Error(
      `${JSON.stringify(reference)} names no image; give repository:tag, as in certwheel/certwheel:1.2.3`,
    );
  const runtime = runtimeFiles(root);
  const app = await appFiles(root);
  const layers: Layer[] = [
    // Nothing in it comes from the source, so its times don't either: nodes that have it needn't fetch it anew.
    { what: 'Node, its libraries and what they need', entries: complete(runtime.entries), seconds: 0 },
    { what: plain.name, entries: complete(app.entries), seconds: source.seconds },
  ];
  const more = variant === 'plain' ? undefined : await pkcs11Files(root);
  if (more !== undefined)
    layers.push({ what: 'PKCS#11 support', entries: complete(more.entries), seconds: source.seconds });
  const config = variant === 'plain' ? settings(source) : pkcs11Settings(source);
  const image = ociImage(source, reference, layers, config);
  const paths = {
    archivePath: join(root, `dist/certwheel${suffix}-image.tar`),
    folderPath: join(root, `dist/rootfs${suffix}`),
    sbomPath: join(root, `dist/certwheel${suffix}-sbom.json`),
  };
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFolder(paths.folderPath, layers);
  writeFileSync(paths.archivePath, image.archive);
  const npm = [...app.npm, ...(more?.npm ?? [])];
  const { debian } = runtime;
  const { versions } = process;
  writeFileSync(
    paths.sbomPath,
    sbom({ source, digest: image.digest, npm, debian, distribution: distribution(), versions }),
  );
  return { ...image, ...paths, reference };
}

/** Its list of CAs and its versions are asked of the Node that runs this. */
function checkNode(root: string): void {
  if (process.platform !== 'linux')
    throw new Error(`the image is for Linux, and made on it; this is ${process.platform}`);
  const shipped = join(root, 'node_modules/node/bin/node');
  if (process.execPath !== shipped)
    throw new Error(`run by ${process.execPath}, but ${shipped} is what goes into the image; run make image-tar`);
}
