/**
 * What can be run, and what has to be there before: the steps, the suites, and which test files need which steps.
 * `make test` and CI run parts of this one graph (test/run.ts).
 */

export interface Step {
  readonly command: readonly string[];
  readonly needs?: readonly string[];
  /**
   * `fetch` waits for the network and takes no lane. `build` takes the processors: one at a time. `check` takes a lane,
   * as test files do. `measure` runs when nothing else does.
   */
  readonly kind: 'fetch' | 'build' | 'check' | 'measure';
  /** What it takes on two cores on a new machine; more is printed, and fails nothing. */
  readonly budgetSeconds: number;
}

const program = (...names: readonly string[]) => ['node', 'test/programs/main.ts', ...names];
/** Below all tests: it takes what they leave. */
const inTheBackground = (command: readonly string[]) => ['nice', '-n', '19', ...command];

const steps = {
  sources: { kind: 'fetch', command: program('--download'), budgetSeconds: 120 },
  packages: { kind: 'fetch', command: ['node', 'test/cluster/main.ts', 'packages'], budgetSeconds: 90 },

  softhsm: { kind: 'fetch', command: ['node', 'test/programs/softhsm.ts'], budgetSeconds: 60 },

  'control-plane': {
    kind: 'build',
    needs: ['sources'],
    command: program('etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager'),
    budgetSeconds: 420,
  },
  // One after the other: each finds in Go's cache what those before it have compiled.
  servers: {
    kind: 'build',
    needs: ['control-plane'],
    command: inTheBackground(program('helm', 'cert-manager', 'step-ca')),
    budgetSeconds: 240,
  },
  'node-programs': {
    kind: 'build',
    needs: ['servers'],
    command: inTheBackground(program('kube-scheduler', 'kubelet', 'kube-proxy')),
    budgetSeconds: 120,
  },
  vault: {
    kind: 'build',
    needs: ['control-plane'],
    command: inTheBackground(program('vault', 'vault-plugin-auth-kubernetes', 'vault-plugin-auth-aws')),
    budgetSeconds: 720,
  },
  'kube-1.31': {
    kind: 'build',
    needs: ['control-plane'],
    command: inTheBackground(program('kube-apiserver-1.31')),
    budgetSeconds: 600,
  },
  'kube-1.34': {
    kind: 'build',
    needs: ['control-plane'],
    command: inTheBackground(program('kube-apiserver-1.34')),
    budgetSeconds: 600,
  },
  'interop-programs': {
    kind: 'build',
    needs: ['sources'],
    command: inTheBackground(program('interop', 'etcdctl')),
    budgetSeconds: 60,
  },
  proxies: { kind: 'build', needs: ['sources'], command: inTheBackground(program('caddy', 'opa')), budgetSeconds: 240 },
  openbao: { kind: 'fetch', command: ['node', 'test/e2e/backends/servers/openbao-main.ts'], budgetSeconds: 60 },
  'google-packages': { kind: 'fetch', command: ['node', 'test/programs/npm-main.ts', 'google'], budgetSeconds: 30 },
  'cloudflare-packages': {
    kind: 'fetch',
    command: ['node', 'test/programs/npm-main.ts', 'cloudflare'],
    budgetSeconds: 30,
  },
  'spiffe-bundle': { kind: 'build', needs: ['sources'], command: program('spiffe-bundle'), budgetSeconds: 30 },
  pebble: { kind: 'build', needs: ['sources'], command: program('pebble', 'pebble-challtestsrv'), budgetSeconds: 60 },
  'acme-client': { kind: 'build', needs: ['sources'], command: program('acme-client'), budgetSeconds: 30 },
  'step-db': { kind: 'build', needs: ['sources'], command: program('step-db'), budgetSeconds: 30 },
  'go-x509': { kind: 'build', needs: ['sources'], command: program('go-x509'), budgetSeconds: 30 },
  // Small programs of ours: see test/programs/compiled.ts.
  judges: { kind: 'build', command: ['node', 'test/pki/verifiers/main.ts'], budgetSeconds: 60 },
  'keystore-readers': { kind: 'build', command: ['node', 'test/pki/keystores/readers/main.ts'], budgetSeconds: 60 },
  zlint: { kind: 'build', needs: ['sources'], command: program('zlint'), budgetSeconds: 60 },
  spiffe: { kind: 'build', needs: ['sources'], command: program('spiffe'), budgetSeconds: 60 },
  'lint-programs': { kind: 'build', command: ['node', 'test/lint/programs/main.ts'], budgetSeconds: 60 },
  'aws-python': { kind: 'build', command: ['node', 'test/e2e/backends/servers/aws/main.ts'], budgetSeconds: 60 },
  'step-cli': { kind: 'build', needs: ['sources'], command: inTheBackground(program('step')), budgetSeconds: 240 },

  types: { kind: 'check', command: ['tsc', '--noEmit'], budgetSeconds: 30 },
  lint: { kind: 'check', command: ['biome', 'check', '.'], budgetSeconds: 15 },
  generated: { kind: 'check', command: ['node', 'tools/generate.ts', '--check'], budgetSeconds: 30 },
  bundle: { kind: 'check', command: ['node', 'tools/bundle.ts'], budgetSeconds: 40 },
  image: { kind: 'check', needs: ['packages'], command: ['node', 'tools/image/main.ts'], budgetSeconds: 60 },

  bench: {
    kind: 'measure',
    needs: ['control-plane'],
    command: ['node', 'test/bench/main.ts', '--quick'],
    budgetSeconds: 200,
  },
} as const satisfies Readonly<Record<string, Step>>;

export type StepName = keyof typeof steps;

export const STEPS: Readonly<Record<StepName, Step>> = steps;

export interface Suite {
  /** Folders and files; those of another suite that lie within them are that suite's alone. */
  readonly files?: readonly string[];
  readonly steps?: readonly StepName[];
}

/** Names for what is run together. Files whose names end in `.long.test.ts` belong to the long form of their suite. */
export const SUITES: Readonly<Record<string, Suite>> = {
  checks: { steps: ['types', 'lint', 'generated', 'bundle'] },
  unit: { files: ['src', 'tools', 'test/docs', 'test/programs', 'test/runner'] },
  e2e: { files: ['test/cluster', 'test/e2e'] },
  demo: { files: ['test/demo'] },
  chains: { files: ['test/pki'] },
  lint: { files: ['test/lint'] },
  chart: { files: ['test/chart'] },
  authorities: { files: ['test/e2e/backends'] },
  monitoring: { files: ['test/monitoring'] },
  interop: { files: ['test/interop'] },
  revocation: { files: ['test/revocation'] },
  node: { files: ['test/cluster/node', 'test/e2e/node'] },
  versions: { files: ['test/versions'] },
  bench: { steps: ['bench'] },
};

/** What test files need, by the beginning of their path; all that fit count. */
export const NEEDS: readonly (readonly [path: string, needs: readonly StepName[]])[] = [
  ['test/cluster/', ['control-plane']],
  ['test/e2e/', ['control-plane']],
  ['test/e2e/audit/books-equal', ['servers', 'vault', 'step-db']],
  ['test/e2e/attacks/stolen-token', ['servers']],
  ['test/e2e/attacks/permission-withdrawn', ['servers']],
  ['test/e2e/attacks/revoke-others', ['servers']],
  ['test/e2e/ca-rotation/', ['interop-programs']],
  ['test/e2e/ca-rotation/cert-manager', ['servers']],
  ['test/e2e/ca-rotation/step-ca', ['servers']],
  ['test/e2e/ca-rotation/vault', ['vault']],
  ['test/e2e/certificate/admission-undeletable', ['servers']],
  ['test/e2e/probes/verifiers', ['interop-programs']],
  ['test/e2e/replays/acmebot-1183', ['servers', 'vault', 'pebble']],
  ['test/e2e/replays/cert-manager-4681', ['vault', 'pebble']],
  ['test/e2e/revocation/', ['servers']],
  ['test/e2e/crds/readers', ['go-x509']],
  ['test/e2e/trust-targets/spiffe', ['spiffe-bundle']],
  ['test/demo/', ['control-plane']],
  ['test/pki/', ['judges']],
  ['test/pki/keystores/', ['keystore-readers']],
  ['test/lint/', ['zlint', 'lint-programs']],
  ['test/pki/svid/', ['spiffe']],
  ['test/pki/kinds/', ['step-cli', 'vault']],
  ['test/monitoring/', ['control-plane', 'packages']],
  ['test/interop/', ['interop-programs']],
  ['test/interop/caddy', ['proxies']],
  ['test/interop/etcd', ['control-plane']],
  ['test/interop/failure-cases', ['proxies']],
  ['test/interop/java-real-secrets', ['control-plane']],
  ['test/interop/kube', ['control-plane']],
  ['test/interop/opa', ['proxies']],
  ['test/interop/resumption', ['proxies']],
  ['test/interop/real-secrets', ['control-plane']],
  ['test/revocation/responder', ['control-plane']],
  ['test/chart/', ['servers']],
  ['test/e2e/node/', ['servers', 'node-programs', 'packages', 'image']],
  ['test/cluster/node/', ['node-programs', 'packages']],
  ['test/e2e/backends/account-servers', ['servers', 'vault']],
  ['test/e2e/backends/breaker', ['servers']],
  ['test/e2e/backends/fallback', ['servers', 'vault']],
  ['test/e2e/backends/acme', ['servers', 'vault', 'pebble']],
  ['test/e2e/backends/acme-solvers-order', ['servers', 'acme-client']],
  ['test/e2e/backends/aws-private-ca-moto', ['aws-python']],
  ['test/e2e/backends/aws-private-ca-oracle', ['aws-python']],
  ['test/e2e/backends/cert-manager', ['servers']],
  ['test/e2e/backends/google-cas', ['google-packages']],
  ['test/e2e/backends/cloudflare-sdk', ['cloudflare-packages']],
  ['test/e2e/backends/step-ca', ['servers']],
  ['test/e2e/backends/step-cli', ['servers', 'step-cli']],
  ['test/e2e/backends/pkcs11', ['softhsm']],
  ['test/e2e/ca-rotation/pkcs11', ['softhsm']],
  ['test/e2e/image/pkcs11', ['softhsm']],
  ['test/e2e/shards/pkcs11', ['softhsm']],
  ['test/e2e/backends/examples', ['servers', 'vault']],
  ['test/e2e/backends/outage', ['servers', 'vault', 'google-packages', 'softhsm']],
  ['test/e2e/backends/vault', ['vault']],
  ['test/e2e/backends/vault-openbao', ['openbao']],
  ['test/versions/kube-1.31', ['control-plane', 'servers', 'kube-1.31']],
  ['test/versions/kube-1.34', ['control-plane', 'servers', 'kube-1.34']],
];

/** Files whose worlds may be lent: see test/cluster/lent.ts. Others start what they need. */
export const BORROWERS: readonly string[] = ['test/e2e/'];

/** Files that measure time, processor or idleness: each runs alone, when all builds and all other files are done. */
export const ALONE: readonly string[] = [
  'test/e2e/authority/broken-neighbour.test.ts',
  'test/e2e/process/clock.test.ts',
  'test/e2e/process/costs.test.ts',
  'test/e2e/process/expiry.test.ts',
  'test/e2e/process/idle.test.ts',
  'test/e2e/process/leader-election.test.ts',
  'test/e2e/process/many.test.ts',
];
