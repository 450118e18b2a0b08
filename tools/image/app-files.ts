import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bundle } from '../bundle.ts';
import { type Entry, file } from './entries.ts';
import { bundledPackages, type NpmPackage } from './npm.ts';
import { PROGRAM, RESPONDER, REVOCATION_RESPONDER } from './settings.ts';

/** Sources of the programs of the image: the controller, and the responders of ACME challenges and of CRLs and OCSP requests. */
const SOURCES = {
  [PROGRAM]: 'src/main.ts',
  [RESPONDER]: 'src/acme-responder/main.ts',
  [REVOCATION_RESPONDER]: 'src/responder/main.ts',
};

/** Certwheel itself. */
export interface AppFiles {
  readonly entries: readonly Entry[];
  readonly npm: readonly NpmPackage[];
}

export async function appFiles(root: string): Promise<AppFiles> {
  const bundles = await Promise.all(
    Object.entries(SOURCES).map(([program, source]) =>
      bundle(join(root, source), join(root, 'dist', basename(program))),
    ),
  );
  const inputs = Object.assign({}, ...bundles.map((each) => each.inputs));
  const made = Object.assign({}, ...bundles.map((each) => each.outputs));
  const npm = bundledPackages(root, { inputs, outputs: made });
  const outputs = Object.keys(made).sort();
  return {
    npm,
    entries: [
      ...outputs.map((path) => file(`${dirname(PROGRAM)}/${basename(path)}`, readFileSync(join(root, path)))),
      file('/app/LICENSE', readFileSync(join(root, 'LICENSE'))),
      file('/app/THIRD-PARTY.txt', npm.map(notice).join(`\n${'-'.repeat(80)}\n\n`)),
    ],
  };
}

function notice({ name, version, license, licenseTexts }: NpmPackage): string {
  const texts = licenseTexts.length > 0 ? licenseTexts : ['The package carries no text of it.'];
  return `${name} ${version}, ${license}\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}
