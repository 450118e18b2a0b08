import { accessSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { messageOf } from '../thrown.ts';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** The Kubernetes client's own, through this one door. */
export type { KubeConfig };

/** Says which kubeconfig, what is wrong with it, and what to do. Never quotes its content. */
export class KubeconfigError extends Error {
  constructor(source: string, wrong: string, remedy: string) {
    super(`${source}: ${wrong}; ${remedy}`);
    this.name = 'KubeconfigError';
  }
}

export interface KubeconfigSource {
  /** For messages: the path, or how it was found. */
  name: string;
  /** A change of their content means that it has to be loaded again. */
  files: readonly string[];
  load(): KubeConfig;
}

/** Chooses where the credentials come from: an explicit path, $KUBECONFIG, the Pod's service account, ~/.kube/config. */
export function findSource(path?: string | undefined, env: NodeJS.ProcessEnv = process.env): KubeconfigSource {
  if (path !== undefined && path !== '') return fromFile(path, `kubeconfig ${path}`);
  const paths = (env.KUBECONFIG ?? '').split(delimiter).filter((part) => part !== '');
  if (paths.length === 1 && paths[0]) return fromFile(paths[0], `kubeconfig ${paths[0]} (from $KUBECONFIG)`);
  if (paths.length > 1)
    return source(`kubeconfigs ${paths.join(', ')} (from $KUBECONFIG)`, paths, (config) => config.loadFromDefault());
  if (env.KUBERNETES_SERVICE_HOST && exists(SERVICE_ACCOUNT_TOKEN))
    return source('the service account of this Pod', [], (config) => config.loadFromCluster());
  const home = join(homedir(), '.kube', 'config');
  if (exists(home)) return fromFile(home, `kubeconfig ${home}`);
  throw new KubeconfigError(
    'no kubeconfig',
    `neither $KUBECONFIG nor ${home} exists, and this is no Pod with a service account`,
    'pass --kubeconfig <path> or set KUBECONFIG',
  );
}

function fromFile(path: string, name: string): KubeconfigSource {
  return source(name, [path], (config) => config.loadFromFile(path));
}

function source(name: string, files: readonly string[], load: (config: KubeConfig) => void): KubeconfigSource {
  return {
    name,
    files,
    load: () => {
      const config = new KubeConfig();
      try {
        load(config);
      } catch (error) {
        throw brokenFile(name, error);
      }
      return proven(config, name);
    },
  };
}

/** The mistakes that client-node would only report as a missing property, or not at all. */
function proven(config: KubeConfig, name: string): KubeConfig {
  const current = config.getCurrentContext();
  if (!current)
    throw new KubeconfigError(name, 'it has no current-context', 'kubectl config use-context <name> sets one');
  const context = config.getContextObject(current);
  if (!context)
    throw new KubeconfigError(
      name,
      `its current-context "${current}" is not among its contexts`,
      'kubectl config get-contexts lists them',
    );
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new KubeconfigError(
      name,
      `its context "${current}" names the cluster "${context.cluster}", which it doesn't have`,
      'kubectl config set-context corrects it',
    );
  if (!URL.canParse(cluster.server))
    throw new KubeconfigError(
      name,
      `the server of its cluster "${context.cluster}" is no URL`,
      'kubectl config set-cluster corrects it',
    );
  // client-node demands this for plain HTTP, where there is no TLS to skip; kubectl doesn't.
  if (cluster.server.startsWith('http:'))
    config.clusters = config.clusters.map((one) => (one.name === cluster.name ? { ...one, skipTLSVerify: true } : one));
  return config;
}

function brokenFile(name: string, error: unknown): KubeconfigError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT')
    return new KubeconfigError(name, 'there is no such file', 'check the path, or pass another with --kubeconfig');
  if (code === 'EACCES')
    return new KubeconfigError(name, 'it may not be read', 'check its permissions and the user that Certwheel runs as');
  return new KubeconfigError(
    name,
    `it is no valid kubeconfig: ${firstLine(error)}`,
    'kubectl config view shows whether kubectl can read it',
  );
}

/** A YAML error quotes the lines around the mistake, which may hold a token: only its first line is fit to be shown. */
export function firstLine(error: unknown): string {
  const message = messageOf(error);
  return (message.split('\n', 1)[0] ?? '').slice(0, 300);
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
