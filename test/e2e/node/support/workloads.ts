import { join } from 'node:path';
import type { Node } from '../../../cluster/node/node.ts';

const EXAMPLES = join(import.meta.dirname, '../../../../examples/workloads');

// biome-ignore-start lint/suspicious/noExplicitAny: manifests of many kinds
export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: Record<string, unknown>;
}

export interface Deployment extends Manifest {
  spec: {
    replicas?: number;
    template: {
      spec: {
        hostAliases?: object[];
        containers: { name: string; command?: string[]; env?: { name: string; value: string }[] }[];
      };
    };
  };
}
// biome-ignore-end lint/suspicious/noExplicitAny: manifests of many kinds

/** The address of the example's Service, which pods know by /etc/hosts: this cluster has no DNS server. */
const ADDRESS = '10.0.0.200';
const HOST = 'web.shop.svc';

/** Applies the example as it is, but for what `change` does and for the name of the server. */
export async function applyWorkloads(node: Node, change: (manifest: Manifest) => void): Promise<void> {
  const { stdout } = await node.cluster.kubectl(['create', '--dry-run=client', '--output=json', '-f', EXAMPLES]);
  // One document after the other, each from the first column on.
  const items = stdout.split(/^(?=\{)/m).map((document): Manifest => JSON.parse(document));
  for (const manifest of items) {
    if (manifest.kind === 'Service') manifest.spec.clusterIP = ADDRESS;
    if (isDeployment(manifest)) manifest.spec.template.spec.hostAliases = [{ ip: ADDRESS, hostnames: [HOST] }];
    change(manifest);
  }
  await node.cluster.kubectl(['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
}

export function isDeployment(manifest: Manifest): manifest is Deployment {
  return manifest.kind === 'Deployment';
}

export function setVariable({ spec }: Deployment, name: string, value: string): void {
  for (const container of spec.template.spec.containers) {
    container.env = [...(container.env ?? []).filter((each) => each.name !== name), { name, value }];
  }
}

/** Waits until all replicas of the Deployments are ready. */
export async function untilRolledOut(node: Node, namespace: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await node.cluster.kubectl([
      'rollout',
      'status',
      `deployment/${name}`,
      `--namespace=${namespace}`,
      '--timeout=60s',
    ]);
  }
}

/** All that the containers of a Deployment's pods have printed. */
export async function linesOf(node: Node, namespace: string, app: string): Promise<string[]> {
  const { stdout } = await node.cluster.kubectl([
    ...['logs', `--namespace=${namespace}`, `--selector=app=${app}`],
    ...['--tail=-1', '--max-log-requests=50'],
  ]);
  return stdout.trimEnd().split('\n');
}
