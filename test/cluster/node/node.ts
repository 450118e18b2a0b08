import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE } from '../../programs/catalog.ts';
import { ensurePrograms, type Paths } from '../../programs/programs.ts';
import { type ControlPlane, type ControlPlaneOptions, startWithParts } from '../control-plane.ts';
import type { Layout } from '../layout.ts';
import { PAUSE_IMAGE, startContainerd } from './containerd.ts';
import { makeImage } from './images.ts';
import { kubeletAccess, startKubelet } from './kubelet.ts';
import { startProxy, startScheduler } from './others.ts';
import { ensurePackages } from './packages.ts';
import { ensurePause } from './pause.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

const NODE_NAME = 'node-1';

export interface NodeOptions extends Pick<ControlPlaneOptions, 'apiServerArguments' | 'keepLogs'> {
  /** The kubelet's syncFrequency; its own default, 1m, unless given. */
  readonly syncFrequency?: string;
}

/** A whole cluster of one node, with pods that run. */
export interface Node {
  readonly cluster: ControlPlane;
  readonly name: string;
  /** Of the node, in the network of the node. */
  readonly address: string;
  /** Makes the images of an OCI archive known: under the names that they bear, or as `repository` with their tags. */
  importImage(archivePath: string, repository?: string): void;
  /** Runs a program in the namespaces of the node, and answers what it printed. */
  run(program: string, ...args: readonly string[]): string;
  /** Pods run on meanwhile. */
  restartKubelet(options?: { readonly syncFrequency?: string; readonly downForMs?: number }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a control plane and a node in namespaces of their own; the node is Ready when this comes back. */
export async function startNode(options: NodeOptions = {}): Promise<Node> {
  await ensurePackages();
  const binaries = await ensurePrograms(NODE);
  const pause = await ensurePause();
  const { promise: placed, resolve } = Promise.withResolvers<Sandbox>();
  const { controlPlane, layout } = await startWithParts({
    ...options,
    controllers: ['*'],
    place: async (guard, folder) => {
      const sandbox = await startSandbox(guard, folder, pause);
      resolve(sandbox);
      return { ...sandbox, apiServerArguments: kubeletAccess };
    },
  });
  try {
    return await startPrograms(await placed, controlPlane, layout, binaries, pause, options);
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

async function startPrograms(
  sandbox: Sandbox,
  cluster: ControlPlane,
  layout: Layout,
  binaries: Paths<(typeof NODE)[number]>,
  pause: string,
  options: NodeOptions,
): Promise<Node> {
  const { guard } = sandbox;
  const containerd = await startContainerd(sandbox, layout);
  const archive = join(layout.folder, 'pause.tar');
  containerd.importImage(makeImage(archive, PAUSE_IMAGE, { files: { '/pause': pause }, entrypoint: ['/pause'] }));
  startScheduler(guard, binaries['kube-scheduler'], layout, await cluster.kubeconfigFor('system:kube-scheduler'));
  startProxy(guard, binaries['kube-proxy'], layout, NODE_NAME, await cluster.kubeconfigFor('system:kube-proxy'));
  const kubeletOptions = {
    layout,
    nodeName: NODE_NAME,
    kubeconfigPath: await cluster.kubeconfigFor(`system:node:${NODE_NAME}`, ['system:nodes']),
    containerdSocket: containerd.socket,
    syncFrequency: options.syncFrequency,
  };
  let kubelet = await startKubelet(sandbox, binaries.kubelet, cluster, kubeletOptions);
  return {
    cluster,
    name: NODE_NAME,
    address: sandbox.address,
    importImage: containerd.importImage,
    run: sandbox.run,
    async restartKubelet({ syncFrequency = options.syncFrequency, downForMs = 0 } = {}) {
      await kubelet.stop();
      await sleep(downForMs);
      kubelet = await startKubelet(sandbox, binaries.kubelet, cluster, { ...kubeletOptions, syncFrequency });
    },
    stop: () => cluster.stop(),
  };
}
