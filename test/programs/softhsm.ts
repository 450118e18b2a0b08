import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildAddon } from '../../tools/image/pkcs11-addon.ts';
import { debianLibraries, unpackDebian } from './debian.ts';
import { withLock } from './lock.ts';
import { cacheRoot } from './modules.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['softhsm2', 'libsofthsm2', 'softhsm2-common', 'opensc', 'opensc-pkcs11', 'libengine-pkcs11-openssl'];

/** SoftHSM 2, whose tokens are files; OpenSC's pkcs11-tool; and OpenSSL's engine for PKCS#11. All from Debian. */
export interface SoftHsmPrograms {
  /** Of softhsm2-util and pkcs11-tool. */
  readonly bin: string;
  /** The PKCS#11 library of SoftHSM. */
  readonly library: string;
  /** OpenSC's library that writes every call into a file, and passes it on. */
  readonly spy: string;
  readonly engine: string;
  /** Variables with which the programs find their libraries. */
  readonly env: Readonly<Record<string, string>>;
  /** Such as `SoftHSM 2.6.1`. */
  readonly version: string;
}

export async function softHsmPrograms(): Promise<SoftHsmPrograms> {
  const folder = await unpackDebian(...PACKAGES);
  const env = debianLibraries(folder);
  const { LD_LIBRARY_PATH: libraries = '' } = env;
  const bin = join(folder, 'usr/bin');
  const { stdout } = await run(join(bin, 'softhsm2-util'), ['--version'], { env });
  return {
    bin,
    library: join(libraries, 'softhsm/libsofthsm2.so'),
    spy: join(libraries, 'pkcs11-spy.so'),
    engine: join(libraries, 'engines-3/pkcs11.so'),
    env,
    version: `SoftHSM ${stdout.trim()}`,
  };
}

/** The folder of pkcs11js, compiled once into the cache as for the image. */
export async function pkcs11Addon(): Promise<string> {
  const parts = ['pkcs11/package-lock.json', 'pkcs11-addon.ts'].map((each) => join(ROOT, 'tools/image', each));
  const content = Buffer.concat([...parts.map((path) => readFileSync(path)), Buffer.from(process.version)]);
  const folder = join(cacheRoot(), `pkcs11js-${hash('sha256', content).slice(0, 12)}`);
  mkdirSync(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const work = mkdtempSync(`${folder}-unfinished-`);
    try {
      await buildAddon(ROOT, join(work, 'pkcs11js'));
      renameSync(join(work, 'pkcs11js'), folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

if (import.meta.main) {
  await softHsmPrograms();
  await pkcs11Addon();
}
