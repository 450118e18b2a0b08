import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { runTool, type ToolResult } from '../tools.ts';

export const ROOT = join(import.meta.dirname, '../../..');
export const CHART = join(ROOT, 'helm/certwheel');
export const NAMESPACE = 'certwheel-system';

/** An object of a rendered chart, as loosely as a test needs it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reads it as deep as it goes
  readonly [field: string]: any;
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

function template(given: Readonly<Record<string, unknown>>, args: readonly string[]): Promise<ToolResult> {
  return runTool('helm', ['template', 'certwheel', CHART, '--namespace', NAMESPACE, ...values(given), ...args]);
}

/** Helm against a cluster, as its administrator; throws where it fails. */
export async function helm(cluster: ControlPlane, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool('helm', args, { env: helmEnvironment(cluster) });
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
