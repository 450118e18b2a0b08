import { join } from 'node:path';
import { ensurePrograms } from '../../../cluster/binaries.ts';
import { cacheFolderFor, type GoModule } from '../../../cluster/go-module.ts';

export const STEP_VERSION = '0.30.2';

const PACKAGES = {
  'step-ca': 'github.com/smallstep/certificates/cmd/step-ca',
  step: 'github.com/smallstep/cli/cmd/step',
} as const;

type ProgramName = keyof typeof PACKAGES;

// cgo would want the library of smart card readers.
const ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };
const FLAGS = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w -X main.Version=${STEP_VERSION}`];

/** A module for each, since each pins the libraries that they share to another version. */
function moduleOf(program: ProgramName, folderName: string, duration: string): GoModule<ProgramName> {
  const folder = join(import.meta.dirname, folderName);
  return {
    title: program,
    duration: `${duration} on two cores`,
    folder,
    cacheFolder: cacheFolderFor(program, folder, [PACKAGES[program], FLAGS, ENVIRONMENT]),
    environment: ENVIRONMENT,
    otherwise: `or set KUBEBUILDER_ASSETS to a folder that holds ${program}`,
    buildArguments: (name, output) => ['build', ...FLAGS, '-o', output, PACKAGES[name]],
    versionArguments: () => ['version'],
  };
}

/** The path of step-ca. */
export async function ensureStepCa(): Promise<string> {
  return (await ensurePrograms(moduleOf('step-ca', 'step-ca', '3 minutes'), ['step-ca']))['step-ca'];
}

/** The path of the step CLI. Only the long tests need it, so nothing else may build it. */
export async function ensureStepCli(): Promise<string> {
  return (await ensurePrograms(moduleOf('step', 'step-cli', '3 minutes'), ['step'])).step;
}

if (import.meta.main) console.log(await ensureStepCa());
