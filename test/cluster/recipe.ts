import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

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

export const moduleFolder = join(import.meta.dirname, 'control-plane');

export const versionArguments = (program: ProgramName): readonly string[] => recipes[program].versionArguments;

export function buildArguments(program: ProgramName, output: string): string[] {
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
export const buildEnvironment = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };

/** Changes with everything that goes into the programs, so that a stale build is never taken for the pinned one. */
export function cacheFolder(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(readFileSync(join(moduleFolder, file)));
  }
  hash.update(JSON.stringify([recipes, buildFlags(), buildEnvironment, process.platform, process.arch]));
  return join(cacheRoot(), `control-plane-${hash.digest('hex').slice(0, 12)}`);
}

/** The folder for everything that is built or fetched once. */
export function cacheRoot(): string {
  const { CERTWHEEL_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'certwheel');
}
