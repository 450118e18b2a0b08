import { NAMESPACES, type Resource } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { systemClock } from '../../../src/clock.ts';
import { KubeconfigConnection } from '../../../src/kube/auth.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Writable } from '../../../src/kube/object.ts';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  shareControlPlane,
  startControlPlane,
} from '../../cluster/control-plane.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { untilKnown } from '../crds/api.ts';
import { type ControllerProcess, launchController, startController } from './controller-process.ts';
import { eventually } from './eventually.ts';
import { lazily } from './lazily.ts';

const CRDS = `${import.meta.dirname}/../../../crds`;
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** Brings our CRDs. */
type Install = (cluster: ControlPlane) => Promise<unknown>;

export interface WorldOptions extends ControlPlaneOptions {
  /** The file stops, restarts or configures the API server, or brings what other files must not find. */
  readonly own?: boolean;
}

/** A control plane with our CRDs, an administrator's client, and real controller processes at will. */
export interface World {
  readonly cluster: ControlPlane;
  readonly client: KubeClient;
  /** A new namespace of its own for a test. */
  namespace(labels?: Record<string, string>): Promise<string>;
  /** Creates or changes, as kubectl apply --server-side would, under another field manager than the controller's. */
  apply(resource: Resource, object: Writable): Promise<RawObject>;
  /** Ready controller process; `launch` doesn't wait. */
  controller(args?: readonly string[]): Promise<ControllerProcess>;
  launch(args?: readonly string[], kubeconfig?: string): ControllerProcess;
  /** Ends with it all that was started for the tests of the file. */
  stop(): Promise<void>;
}

/** One world for a test file, started by the first test that asks: `const world = oneWorld(); test.after(world.stop)`. */
export function oneWorld(options: WorldOptions = {}, install?: Install) {
  return lazily(() => startWorld(options, install));
}

export async function applyCrds(cluster: ControlPlane): Promise<void> {
  await cluster.kubectl(['apply', '--server-side', '-f', CRDS]);
  await untilKnown(cluster);
}

async function startWorld({ own, ...options }: WorldOptions, install?: Install): Promise<World> {
  const { controllers = [], ...special } = options;
  // A control plane is lent without this controller, and with the admission of ServiceAccounts switched off.
  const isPlain = Object.keys(special).length === 0 && !controllers.includes('serviceaccount-controller');
  const isShared = own !== true && install === undefined && isPlain;
  if (!isShared) return openWorld(await startControlPlane(options), install);
  const cluster = await shareControlPlane(controllers, applyCrds);
  onStop(cluster.stop);
  return worldOn(cluster);
}

/** On a control plane that runs already, and that the world stops in the end. */
export async function openWorld(cluster: ControlPlane, install?: Install): Promise<World> {
  onStop(cluster.stop);
  if (install === undefined) {
    await applyCrds(cluster);
  } else {
    await install(cluster);
    await untilKnown(cluster);
  }
  return worldOn(cluster);
}

function worldOn(cluster: ControlPlane): World {
  const client = new KubeClient({
    connections: new KubeconfigConnection({ kubeconfig: cluster.kubeconfigPath, clock: systemClock, logger: QUIET }),
    clock: systemClock,
  });
  onStop(() => client.close());
  let namespaces = 0;
  return {
    cluster,
    client,
    namespace: async (labels = {}) => {
      // No two files that share a control plane may mean the same namespace.
      const name = `test-${process.pid}-${++namespaces}`;
      await client.create(NAMESPACES, { metadata: { name, labels } });
      return name;
    },
    apply: (resource, object) => applyAsPerson(cluster, resource, object, client),
    controller: (args) => startController(cluster.kubeconfigPath, args),
    launch: (args, kubeconfig = cluster.kubeconfigPath) => launchController(kubeconfig, args),
    stop: stopAll,
  };
}

async function applyAsPerson(
  cluster: ControlPlane,
  resource: Resource,
  object: Writable,
  client: KubeClient,
): Promise<RawObject> {
  const manifest = {
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    ...object,
  };
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify(manifest),
  });
  const { namespace, name } = object.metadata;
  const stored = await client.get(resource, namespace, name);
  if (stored === undefined) throw new Error(`${resource.kind} ${name} is gone right after it was applied`);
  return stored;
}

export { eventually };
