import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { type HelmResult, runHelm } from './run-helm.ts';

export const ROOT = join(import.meta.dirname, '../../..');
export const CHART = join(ROOT, 'helm/certwheel');
export const NAMESPACE = 'certwheel-system';

export interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly resources: Readonly<Record<'limits' | 'requests', Readonly<Record<string, string>>>>;
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly Container[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly topologySpreadConstraints?: readonly { readonly labelSelector?: object }[];
}

type Labels = Readonly<Record<string, string>>;

/** An object of a rendered chart, as far as tests look into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** Of a Pod, or of what has a template of one. */
  readonly spec: PodSpec & {
    readonly template?: { readonly metadata?: { readonly labels?: Labels }; readonly spec: PodSpec };
    /** Labels in a Service, and `matchLabels` elsewhere. */
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly podSelector?: { readonly matchLabels?: Labels };
    /** Of a ServiceMonitor. */
    readonly endpoints?: readonly Readonly<Record<string, unknown>>[];
    /** Of a NetworkPolicy. */
    readonly egress?: readonly { readonly ports: readonly { readonly port: number; readonly protocol?: string }[] }[];
  };
  /** Of roles. */
  readonly rules?: unknown;
  /** Of bindings. */
  readonly subjects?: readonly { readonly namespace: string }[];
}

/** Arguments for values: `{a: {b: 1}}` as --set-json. */
export function values(given: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(given).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
}

/** What `helm template` prints; throws where it refuses. */
export async function renderText(given: Readonly<Record<string, unknown>> = {}, args: readonly string[] = []) {
  const { code, stdout, stderr } = await template(given, args);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return stdout;
}

export async function render(
  given: Readonly<Record<string, unknown>> = {},
  args: readonly string[] = [],
): Promise<Manifest[]> {
  return (loadAll(await renderText(given, args)) as (Manifest | null)[]).filter((each) => each !== null);
}

/** What Helm says against these values; empty where it takes them. */
export async function refusal(given: Readonly<Record<string, unknown>>): Promise<string> {
  const { code, stderr } = await template(given, []);
  return code === 0 ? '' : stderr;
}

function template(given: Readonly<Record<string, unknown>>, args: readonly string[]): Promise<HelmResult> {
  return runHelm(['template', 'certwheel', CHART, '--namespace', NAMESPACE, ...values(given), ...args]);
}

/** Helm against a cluster, as its administrator; throws where it fails. */
export async function helm(cluster: ControlPlane, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHelm(args, helmEnvironment(cluster));
  if (code !== 0) throw new Error(`helm ${args.join(' ')} failed: ${stderr || stdout}`);
  return stdout;
}

/** Helm keeps caches in the home folder unless told otherwise. */
export function helmEnvironment(cluster: ControlPlane): Record<string, string> {
  const folder = (name: string) => join(cluster.dir, `helm-${name}`);
  return {
    KUBECONFIG: cluster.kubeconfigPath,
    HELM_CACHE_HOME: folder('cache'),
    HELM_CONFIG_HOME: folder('config'),
    HELM_DATA_HOME: folder('data'),
  };
}

export function install(cluster: ControlPlane, given: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const args = ['install', 'certwheel', CHART, '--namespace', NAMESPACE, '--create-namespace', ...values(given)];
  return helm(cluster, args);
}

export function one(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} times ${kind} ${name ?? ''}`);
  return first;
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((each) => each.kind === kind);
}

/** The Pod of the Deployment, and its own container. */
const COMPONENT = 'app.kubernetes.io/component';

/** The Deployment of the controller; the ACME responder has one of its own. */
export function controllerOf(manifests: readonly Manifest[]): Manifest {
  return one(
    manifests.filter(({ metadata }) => metadata.labels?.[COMPONENT] === 'controller'),
    'Deployment',
  );
}

/** Which program of the chart an object is for. */
export function componentOf({ metadata }: Manifest): string | undefined {
  return metadata.labels?.[COMPONENT];
}

export function podOf(manifests: readonly Manifest[]): PodSpec & { readonly container: Container } {
  const spec = controllerOf(manifests).spec.template?.spec;
  const [container] = spec?.containers ?? [];
  if (spec === undefined || container === undefined) throw new Error('the Deployment has no container');
  return { ...spec, container };
}
