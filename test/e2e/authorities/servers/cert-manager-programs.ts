import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from '../../../cluster/binaries.ts';
import { cacheFolderFor, type GoModule } from '../../../cluster/go-module.ts';

const NAME = 'cert-manager';
const FOLDER = join(import.meta.dirname, NAME);
// The main program is ours, over the published packages: cert-manager's own isn't published as a module.
const ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };
const FLAGS = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];

const program: GoModule<typeof NAME> = {
  title: "cert-manager's controllers",
  duration: '3 minutes on two cores',
  folder: FOLDER,
  cacheFolder: cacheFolderFor(NAME, FOLDER, [readFileSync(join(FOLDER, 'main.go'), 'utf8'), FLAGS, ENVIRONMENT]),
  environment: ENVIRONMENT,
  otherwise: `or set KUBEBUILDER_ASSETS to a folder that holds ${NAME}`,
  buildArguments: (_program, output) => ['build', ...FLAGS, '-o', output, '.'],
  versionArguments: () => ['--version'],
};

/** The path of cert-manager's controllers, which are built the first time. */
export async function ensureCertManager(): Promise<string> {
  return (await ensurePrograms(program, [NAME]))[NAME];
}

/** The folder of the Go module that pins their version. */
export const CERT_MANAGER_MODULE = { folder: FOLDER, environment: ENVIRONMENT };

if (import.meta.main) console.log(await ensureCertManager());
