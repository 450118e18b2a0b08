/** Every program that the tests, the demo and the benchmark run and that is built from source, with its Go module. */
import type { GoModule } from './modules.ts';

/** A plain `go build` leaves v0.0.0 there, which clients take for a server older than everything. */
const stamp = (version: string): readonly string[] => {
  const [major, minor] = version.split('.');
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  return Object.entries(fields).map(([name, value]) => `k8s.io/component-base/version.${name}=${value}`);
};

/** Without the stamp, Helm believes that the cluster which it renders for is of version 1.20. */
const helmStamp = [
  'helm.sh/helm/v3/internal/version.version=v3.22.0',
  ...['pkg/chartutil', 'pkg/lint/rules'].flatMap((path) => [
    `helm.sh/helm/v3/${path}.k8sVersionMajor=1`,
    `helm.sh/helm/v3/${path}.k8sVersionMinor=37`,
  ]),
];

export const KUBERNETES_VERSION = '1.37.2';
export const VAULT_VERSION = '1.19.5';
export const STEP_VERSION = '0.30.2';
export const PEBBLE_VERSION = '2.10.1';

/** By the name of the folder beside this file that holds its go.mod. */
const modules = {
  servers: { stamps: [...stamp(KUBERNETES_VERSION), ...helmStamp, `main.Version=${STEP_VERSION}`], tags: [] },
  // Apart, since it pins other versions of most libraries. Without the tag come the databases and clouds of a whole Vault.
  vault: { stamps: [], tags: ['minimal'] },
  'step-cli': { stamps: [`main.Version=${STEP_VERSION}`], tags: [] },
  'kube-1.31': { stamps: stamp('1.31.14'), tags: [] },
  'kube-1.34': { stamps: stamp('1.34.4'), tags: [] },
  caddy: { stamps: [], tags: [] },
  opa: { stamps: [], tags: [] },
  // Ours, over nothing but the standard library.
  'go-x509': { stamps: [], tags: [] },
  // Let's Encrypt's small ACME server, and its server of DNS answers.
  pebble: { stamps: [], tags: [] },
  // Ours, over the ACME client of the Go project.
  'acme-client': { stamps: [], tags: [] },
  // Ours, over all controllers of cert-manager, for `make bench-peers`. Apart, since they take the libraries of many clouds.
  'cert-manager': { stamps: [], tags: [], isForBenches: true },
  // Ours, over the database library of step-ca.
  'step-db': { stamps: [], tags: [] },
  // Ours: the bundle endpoint of go-spiffe.
  'spiffe-bundle': { stamps: [], tags: [] },
  // Servers and clients of the interoperability tests.
  interop: { stamps: [], tags: [] },
  // Ours, over the lints of zlint.
  zlint: { stamps: [], tags: [] },
  // Ours, over the library of SPIFFE.
  spiffe: { stamps: [], tags: [] },
  // Only their CRDs are used: nothing is built of them.
  'prometheus-operator': { stamps: [], tags: [] },
  'gateway-api': { stamps: [], tags: [] },
} as const satisfies Readonly<Record<string, GoModule>>;

export type ModuleName = keyof typeof modules;

export const MODULES: Readonly<Record<ModuleName, GoModule>> = modules;

export interface Program {
  readonly module: ModuleName;
  readonly package: string;
  /** Arguments with which the program only prints its version, to prove a fresh build. */
  readonly versionArguments: readonly string[];
}

const kubernetes = (command: string, module: ModuleName = 'servers', versionArguments = ['--version']): Program => ({
  module,
  package: `k8s.io/kubernetes/cmd/${command}`,
  versionArguments,
});

const catalog = {
  etcd: { module: 'servers', package: 'go.etcd.io/etcd/server/v3', versionArguments: ['--version'] },
  'kube-apiserver': kubernetes('kube-apiserver'),
  kubectl: kubernetes('kubectl', 'servers', ['version', '--client']),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  'kube-apiserver-1.31': kubernetes('kube-apiserver', 'kube-1.31'),
  'kube-apiserver-1.34': kubernetes('kube-apiserver', 'kube-1.34'),
  helm: { module: 'servers', package: 'helm.sh/helm/v3/cmd/helm', versionArguments: ['version', '--short'] },
  // The main program is ours, over the published packages: cert-manager's own isn't published as a module.
  'cert-manager': { module: 'servers', package: './cert-manager', versionArguments: ['--version'] },
  'step-ca': {
    module: 'servers',
    package: 'github.com/smallstep/certificates/cmd/step-ca',
    versionArguments: ['version'],
  },
  step: { module: 'step-cli', package: 'github.com/smallstep/cli/cmd/step', versionArguments: ['version'] },
  vault: { module: 'vault', package: 'github.com/hashicorp/vault', versionArguments: ['version'] },
  caddy: { module: 'caddy', package: 'github.com/caddyserver/caddy/v2/cmd/caddy', versionArguments: ['version'] },
  opa: { module: 'opa', package: 'github.com/open-policy-agent/opa', versionArguments: ['version'] },
  'go-x509': { module: 'go-x509', package: '.', versionArguments: ['version'] },
  'spiffe-bundle': { module: 'spiffe-bundle', package: '.', versionArguments: ['version'] },
  pebble: { module: 'pebble', package: 'github.com/letsencrypt/pebble/v2/cmd/pebble', versionArguments: ['-version'] },
  'pebble-challtestsrv': {
    module: 'pebble',
    package: 'github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv',
    versionArguments: ['-h'],
  },
  'acme-client': { module: 'acme-client', package: '.', versionArguments: ['version'] },
  'cert-manager-full': { module: 'cert-manager', package: '.', versionArguments: ['--version'] },
  'step-db': { module: 'step-db', package: '.', versionArguments: ['version'] },
  interop: { module: 'interop', package: '.', versionArguments: ['version'] },
  etcdctl: { module: 'interop', package: 'go.etcd.io/etcd/etcdctl/v3', versionArguments: ['version'] },
  zlint: { module: 'zlint', package: '.', versionArguments: ['version'] },
  spiffe: { module: 'spiffe', package: '.', versionArguments: ['version'] },
  // The name under which Vault finds the plugin of its Kubernetes auth method is that of its file.
  'vault-plugin-auth-kubernetes': { module: 'vault', package: './kubernetes-auth', versionArguments: ['version'] },
  'vault-plugin-auth-aws': { module: 'vault', package: './aws-auth', versionArguments: ['version'] },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof catalog;

export const CATALOG: Readonly<Record<ProgramName, Program>> = catalog;

/** What `make demo` and the tests of the controller run. */
export const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager'] as const;

/** What a node needs besides. */
export const NODE = ['kube-scheduler', 'kubelet', 'kube-proxy'] as const;
