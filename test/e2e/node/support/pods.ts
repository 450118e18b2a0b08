import { NAMESPACE } from '../../../chart/support/helm.ts';
import type { Node } from '../../../cluster/node/node.ts';

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly restarts: number;
  readonly ready: boolean;
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly ready: boolean }[];
  };
}

/** The controller's Pods, but for those on their way out. */
export async function controllerPods({ cluster }: Node): Promise<Pod[]> {
  const selector = '--selector=app.kubernetes.io/name=certwheel';
  const { stdout } = await cluster.kubectl(['get', 'pods', '--namespace', NAMESPACE, selector, '--output=json']);
  const { items } = JSON.parse(stdout) as { items: PodObject[] };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata: { name, uid }, status: { containerStatuses = [] } }) => ({
      name,
      uid,
      restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
      ready: containerStatuses.length > 0 && containerStatuses.every(({ ready }) => ready),
    }));
}

/** As docs/install.md waits. */
export function untilControllerRolledOut({ cluster }: Node) {
  return cluster.kubectl(['rollout', 'status', 'deployment/certwheel', '--namespace', NAMESPACE, '--timeout=90s']);
}

/** The lines that all of the controller's Pods have logged. */
export async function controllerLogs({ cluster }: Node): Promise<Record<string, unknown>[]> {
  const pods = ['--selector=app.kubernetes.io/name=certwheel', '--tail=-1', '--max-log-requests=20'];
  const { stdout } = await cluster.kubectl(['logs', '--namespace', NAMESPACE, ...pods]);
  return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}
