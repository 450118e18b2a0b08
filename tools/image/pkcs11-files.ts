import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { bundle } from '../bundle.ts';
import type { AppFiles } from './app-files.ts';
import { type Entry, file } from './entries.ts';
import type { NpmPackage } from './npm.ts';
import { buildAddon, nativeModule } from './pkcs11-addon.ts';
import { PKCS11_ADDON, PKCS11_SIGNER } from './settings.ts';

/** What the image certwheel-pkcs11 has besides: the signer process, and pkcs11js with its native module. */
export async function pkcs11Files(root: string): Promise<AppFiles> {
  const built = await bundle(
    join(root, 'src/backends/pkcs11/signer/main.ts'),
    join(root, 'dist', basename(PKCS11_SIGNER)),
  );
  const addon = join(root, 'dist/pkcs11js');
  rmSync(addon, { recursive: true, force: true });
  await buildAddon(root, addon);
  const inAddon = (path: string): Entry =>
    file(`${PKCS11_ADDON}/${relative(addon, path)}`, readFileSync(path), path.endsWith('.node') ? 0o755 : 0o644);
  const files = ['index.js', 'package.json', 'LICENSE'].map((name) => join(addon, name));
  return {
    npm: [describe(root, addon)],
    entries: [
      ...Object.keys(built.outputs)
        .sort()
        .map((path) => file(`${dirname(PKCS11_SIGNER)}/${basename(path)}`, readFileSync(join(root, path)))),
      ...[...files, nativeModule(addon)].map(inAddon),
    ],
  };
}

function describe(root: string, addon: string): NpmPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(addon, 'package.json'), 'utf8'));
  const locked = JSON.parse(readFileSync(join(root, 'tools/image/pkcs11/package-lock.json'), 'utf8')).packages;
  return {
    ...{ name, version, license },
    licenseTexts: [readFileSync(join(addon, 'LICENSE'), 'utf8')],
    integrity: locked[`node_modules/${name}`]?.integrity,
    folder: `tools/image/pkcs11/node_modules/${name}`,
    imports: [],
  };
}
