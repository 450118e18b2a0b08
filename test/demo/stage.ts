import { cpSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createRunFolder, markKept } from '../cluster/leftovers.ts';
import { quoted } from './words.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
export const EXAMPLES = 'examples/quickstart';
export const NAMESPACE = 'certwheel-demo';
const LIFE = '1m';
const PATIENCE_MS = 30_000;

/** The examples, with a life so short that an audience sees each rotation. */
function manifests(): string {
  const files = globSync(`${EXAMPLES}/*.yaml`, { cwd: REPOSITORY }).sort();
  const texts = files.map((file) => readFileSync(join(REPOSITORY, file), 'utf8'));
  return texts.join('---\n').replaceAll(/^ {2}duration: .*$/gm, `  duration: ${LIFE}`);
}

/** What a user does in a cluster of their own: the CRDs, then the examples. */
export async function applyManifests(cluster: ControlPlane): Promise<void> {
  await cluster.kubectl(['apply', '--server-side', '--filename', join(REPOSITORY, 'crds')]);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  const input = manifests();
  const deadline = performance.now() + PATIENCE_MS;
  // An established CRD shows up in discovery only a moment later.
  for (;;) {
    const last = performance.now() > deadline;
    const { code } = await cluster.kubectl(['apply', '--filename', '-'], { allowFailure: !last, input });
    if (code === 0) return;
    await sleep(100);
  }
}

/** In words of their own, since a terminal may have to break it. */
export function lookForYourself({ kubectlPath, kubeconfigPath }: ControlPlane): string[] {
  return [quoted(kubectlPath), '--kubeconfig', quoted(kubeconfigPath), 'get', 'ccert', '-n', NAMESPACE, '-w'];
}

/** Copies the logs to where they outlive the cluster, for a day, after which a later start removes them. */
export function keepLogs(cluster: ControlPlane): string {
  const folder = createRunFolder();
  markKept(folder);
  const logs = join(folder, 'logs');
  cpSync(join(cluster.dir, 'logs'), logs, { recursive: true });
  return logs;
}
