import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../bundle.ts';
import { type Entry, file } from './entries.ts';
import { bundledPackages, type NpmPackage } from './npm.ts';
import { PROGRAM } from './settings.ts';

/** The controller itself. */
export interface AppFiles {
  readonly entries: readonly Entry[];
  readonly npm: readonly NpmPackage[];
}

export async function appFiles(root: string): Promise<AppFiles> {
  const program = join(root, 'dist/certwheel.mjs');
  const npm = bundledPackages(root, await bundle(join(root, 'src/main.ts'), program));
  return {
    npm,
    entries: [
      file(PROGRAM, readFileSync(program)),
      file(`${PROGRAM}.map`, readFileSync(`${program}.map`)),
      file(`${PROGRAM}.LEGAL.txt`, readFileSync(`${program}.LEGAL.txt`)),
      file('/app/LICENSE', readFileSync(join(root, 'LICENSE'))),
      file('/app/THIRD-PARTY.txt', npm.map(notice).join(`\n${'-'.repeat(80)}\n\n`)),
    ],
  };
}

function notice({ name, version, license, licenseTexts }: NpmPackage): string {
  const texts = licenseTexts.length > 0 ? licenseTexts : ['The package carries no text of it.'];
  return `${name} ${version}, ${license}\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}
