import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from '../../../cluster/node/node.ts';
import { eventually } from '../../support/eventually.ts';

const EXAMPLES = join(import.meta.dirname, '../../../../examples/workloads');

/** The address of the example's Service, which pods know by /etc/hosts: this cluster has no DNS server. */
const ADDRESS = '10.0.0.200';
const HOST = 'web.shop.svc';

export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: Record<string, unknown>;
}

interface Container {
  name: string;
  env?: { name: string; value: string }[];
  volumeMounts?: object[];
}

export interface Deployment extends Manifest {
  spec: { replicas?: number; template: { spec: { hostAliases?: object[]; containers: Container[] } } };
}

export interface WorkloadOptions {
  /** For each ClientCertificate. */
  readonly life: { readonly duration: string; readonly renewBefore: string };
  readonly change?: (deployment: Deployment) => void;
}

/**
 * Applies the example as it is, but for lives that a test can wait for: the server first, since a client that comes
 * before it is refused, and then the clients.
 */
export async function applyWorkloads(node: Node, { life, change = () => {} }: WorkloadOptions): Promise<void> {
  const files = globSync('*.yaml', { cwd: EXAMPLES }).sort();
  const isClient = (file: string) => file.includes('client');
  const apply = async (some: readonly string[]) => {
    const manifests = await read(node, some);
    for (const manifest of manifests) {
      if (manifest.kind === 'ClientCertificate') Object.assign(manifest.spec, life);
      if (manifest.kind === 'Service') manifest.spec.clusterIP = ADDRESS;
      if (!isDeployment(manifest)) continue;
      manifest.spec.template.spec.hostAliases = [{ ip: ADDRESS, hostnames: [HOST] }];
      change(manifest);
    }
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    await node.cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(list) });
    for (const { metadata } of manifests.filter(isDeployment)) await untilRolledOut(node, 'shop', metadata.name);
  };
  await apply(files.filter((file) => !isClient(file)));
  await eventually('the Service leads to the server', () => answers(node));
  await apply(files.filter(isClient));
}

/** By kubectl, whose YAML has octal numbers. */
async function read(node: Node, files: readonly string[]): Promise<Manifest[]> {
  const paths = files.flatMap((file) => ['-f', join(EXAMPLES, file)]);
  const { stdout } = await node.cluster.kubectl(['create', '--dry-run=client', '--output=json', ...paths]);
  // One document after the other, each from the first column on.
  return stdout.split(/^(?=\{)/m).map((document): Manifest => JSON.parse(document));
}

function isDeployment(manifest: Manifest): manifest is Deployment {
  return manifest.kind === 'Deployment';
}

function answers(node: Node): boolean {
  try {
    return node.run('curl', '--silent', '--insecure', '--max-time', '2', `https://${ADDRESS}:8443/`) !== '';
  } catch {
    return false;
  }
}

export function setVariable({ spec }: Deployment, name: string, value: string): void {
  for (const container of spec.template.spec.containers)
    container.env = [...(container.env ?? []).filter((each) => each.name !== name), { name, value }];
}

export async function untilRolledOut(node: Node, namespace: string, name: string): Promise<void> {
  await node.cluster.kubectl(['rollout', 'status', `deployment/${name}`, `--namespace=${namespace}`, '--timeout=90s']);
}
