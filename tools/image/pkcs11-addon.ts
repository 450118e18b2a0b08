import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The native module below the folder of pkcs11js, where its index.js looks for it. */
const NATIVE = 'build/Release/pkcs11.node';
/** Files of the package that are used when it runs, and its licence. */
const FILES = ['index.js', 'package.json', 'LICENSE'];
const SOURCES = ['src/dl.cpp', 'src/common.cpp', 'src/main.cpp'];

/**
 * Makes the folder of pkcs11js, which must not be there: from the lock file in pkcs11/, compiled with the headers of
 * the Node of the image. g++ is called as binding.gyp says, so that no script of a package runs; the same compiler makes the
 * same bytes. Throws an Error with what npm or g++ printed.
 */
export async function buildAddon(root: string, folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'certwheel-pkcs11js-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(import.meta.dirname, 'pkcs11', file), join(work, file));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: work });
    const source = join(work, 'node_modules/pkcs11js');
    mkdirSync(join(folder, 'build/Release'), { recursive: true });
    await run(
      'g++',
      [
        ...['-std=c++17', '-O2', '-fPIC', '-shared', '-s', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'],
        ...['-Wl,-z,relro,-z,now', `-ffile-prefix-map=${source}=.`],
        ...['-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=pkcs11'],
        ...['-Iincludes', `-I${nodeHeaders(root)}`, ...SOURCES, '-o', join(folder, NATIVE)],
      ],
      { cwd: source },
    );
    for (const file of FILES) copyFileSync(join(source, file), join(folder, file));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where `buildAddon` has put the native module. */
export function nativeModule(folder: string): string {
  return join(folder, NATIVE);
}

/** In the package of the platform, which npm's package of Node installs inside itself. */
function nodeHeaders(root: string): string {
  return join(root, `node_modules/node/node_modules/node-${process.platform}-${process.arch}/include/node`);
}
