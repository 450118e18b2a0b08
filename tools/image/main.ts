/**
 * Makes the image, without a container engine: `node tools/image/main.ts [--pkcs11] [repository:tag]`. See docs/image.md.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImage } from './build.ts';

const ROOT = join(import.meta.dirname, '../..');
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

try {
  const { values, positionals } = parseArgs({ options: { pkcs11: { type: 'boolean' } }, allowPositionals: true });
  const built = await buildImage(ROOT, values.pkcs11 === true ? 'pkcs11' : 'plain', positionals[0]);
  const shown = (path: string) => relative(process.cwd(), path);
  console.log(`${built.reference}
  digest   ${built.digest}
  size     ${megabytes(built.compressedBytes)} compressed, ${megabytes(built.uncompressedBytes)} unpacked
  archive  ${shown(built.archivePath)}
  folder   ${shown(built.folderPath)}
  SBOM     ${shown(built.sbomPath)}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
