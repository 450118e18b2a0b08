import { join } from 'node:path';
import { ensurePrograms } from '../../../cluster/binaries.ts';
import { cacheFolderFor, type GoModule } from '../../../cluster/go-module.ts';

export const VAULT_VERSION = '1.19.5';

/** The name under which Vault finds the plugin is that of its file. */
const PACKAGES = {
  vault: 'github.com/hashicorp/vault',
  'vault-plugin-auth-kubernetes': './kubernetes-auth',
} as const;

type ProgramName = keyof typeof PACKAGES;

const FOLDER = join(import.meta.dirname, 'vault');
const ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };
// Without the tag come the databases and clouds of a whole Vault, for which the PKI engine has no use.
const FLAGS = ['-mod=readonly', '-tags', 'minimal', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];

const MODULE: GoModule<ProgramName> = {
  title: `HashiCorp Vault ${VAULT_VERSION}`,
  duration: '6 minutes on two cores',
  folder: FOLDER,
  cacheFolder: cacheFolderFor('vault', FOLDER, [PACKAGES, FLAGS, ENVIRONMENT]),
  environment: ENVIRONMENT,
  otherwise: 'or set KUBEBUILDER_ASSETS to a folder that holds vault and vault-plugin-auth-kubernetes',
  buildArguments: (program, output) => ['build', ...FLAGS, '-o', output, PACKAGES[program]],
  versionArguments: () => ['version'],
};

/** The paths of Vault and of the plugin of its Kubernetes auth method, which are built the first time. */
export function ensureVaultPrograms(): Promise<Readonly<Record<ProgramName, string>>> {
  return ensurePrograms(MODULE, ['vault', 'vault-plugin-auth-kubernetes']);
}

if (import.meta.main) console.log(await ensureVaultPrograms());
