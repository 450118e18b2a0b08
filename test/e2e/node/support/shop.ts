import { startNode } from '../../../cluster/node/node.ts';
import { startController } from '../../support/controller-process.ts';
import { issuedAt } from '../../support/moments.ts';
import { serialOf, watchSecrets } from '../../support/secret-witness.ts';
import type { Witness } from '../../support/witness.ts';
import { openWorld } from '../../support/world.ts';
import { importWorkloadImages } from './images.ts';
import type { Said } from './logs.ts';
import { applyWorkloads, type WorkloadOptions } from './workloads.ts';

/** A node with the workloads of the example on it, and an eye on their Secrets. The controller runs outside of it. */
export async function startShop({ syncFrequency, ...workloads }: WorkloadOptions & { syncFrequency?: string }) {
  const node = await startNode(syncFrequency === undefined ? {} : { syncFrequency });
  const world = await openWorld(node.cluster);
  await startController(node.cluster.kubeconfigPath);
  importWorkloadImages(node);
  await node.cluster.kubectl(['create', 'namespace', 'shop']);
  const secrets = await watchSecrets(world, 'shop');
  await applyWorkloads(node, workloads);
  return { node, secrets };
}

export type Shop = Awaited<ReturnType<typeof startShop>>;

/** When the certificate of that serial number was issued; its Secret is written at once. */
function issuedAtOf(secrets: Witness, name: string, serial: string): Date | undefined {
  const version = secrets.versions(name).find(({ object }) => serialOf(object) === serial);
  return version && issuedAt(version.object);
}

/** How many seconds after the write each pod first met each certificate, but for that with which it started. */
export function delays(said: readonly Said[], secrets: Witness, field: 'loaded' | 'server', secret: string): number[] {
  const met = new Map<string, Set<string>>();
  return said.flatMap(({ pod, at, [field]: serial }) => {
    const known = met.get(pod) ?? new Set();
    met.set(pod, known);
    // While nginx reloads, its old and its new workers answer in turns.
    if (serial === undefined || known.has(serial)) return [];
    known.add(serial);
    const written = issuedAtOf(secrets, secret, serial);
    return known.size === 1 || written === undefined ? [] : [(at.getTime() - written.getTime()) / 1000];
  });
}

/** `least 1.2, median 3.4, most 5.6 s (of 30)` */
export function summary(seconds: readonly number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]?.toFixed(1) ?? '-';
  return `least ${at(0)}, median ${at(0.5)}, most ${at(1)} s (of ${sorted.length})`;
}

export function distinct(values: readonly (string | undefined)[]): number {
  return new Set(values.filter((value) => value !== undefined)).size;
}
