import { join } from 'node:path';
import { cacheFolderFor, type GoModule } from './go-module.ts';

export type ProgramName = 'etcd' | 'kube-apiserver' | 'kubectl' | 'kube-controller-manager';

interface Recipe {
  readonly package: string;
  /** Arguments with which the program only prints its version, to prove a fresh build. */
  readonly versionArguments: readonly string[];
}

const kubernetesVersion = '1.36.3';

/** In this order: etcd is quick and shows that the tool chain works, the API server warms the cache for the others. */
const recipes: Readonly<Record<ProgramName, Recipe>> = {
  etcd: { package: 'go.etcd.io/etcd/server/v3', versionArguments: ['--version'] },
  'kube-apiserver': { package: 'k8s.io/kubernetes/cmd/kube-apiserver', versionArguments: ['--version'] },
  kubectl: { package: 'k8s.io/kubernetes/cmd/kubectl', versionArguments: ['version', '--client'] },
  'kube-controller-manager': {
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    versionArguments: ['--version'],
  },
};

export const programNames = Object.keys(recipes) as ProgramName[];

const moduleFolder = join(import.meta.dirname, 'control-plane');

function buildArguments(program: ProgramName, output: string): string[] {
  return ['build', ...buildFlags(), '-o', output, recipes[program].package];
}

function buildFlags(): string[] {
  // A plain `go build` leaves gitVersion at v0.0.0, which clients take for a server older than everything.
  const [major, minor] = kubernetesVersion.split('.');
  const stamps = { gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor };
  const setters = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...setters].join(' ')];
}

/**
 * Cross-compiling or workspace settings of the caller's shell must not leak into programs that are to run here.
 */
const buildEnvironment = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };

export const controlPlane: GoModule<ProgramName> = {
  title: 'the control plane',
  duration: '4 to 8 minutes on two cores',
  folder: moduleFolder,
  cacheFolder: cacheFolderFor('control-plane', moduleFolder, [recipes, buildFlags(), buildEnvironment]),
  environment: buildEnvironment,
  otherwise: 'or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver and kubectl',
  buildArguments,
  versionArguments: (program) => recipes[program].versionArguments,
};
