import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureProgram, ensurePrograms, type Paths } from '../programs/programs.ts';
import { ApiServer } from './api-server.ts';
import { type AuditEvent, readAuditEvents } from './audit.ts';
import { removeCgroups } from './cgroups.ts';
import { startManager } from './controller-manager.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import type { PairFiles } from './flags.ts';
import { type Guard, type GuardedProcess, startGuard } from './guard.ts';
import { kubeconfigsIn, writeKubeconfig } from './kubeconfig.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from './kubectl.ts';
import { type Layout, prepareFolder } from './layout.ts';
import { createRunFolder, keepOnlyLogs, markKept, removeLeftovers } from './leftovers.ts';
import { borrowControlPlane } from './lent.ts';
import { freePort } from './ports.ts';
import { retryWhilePortTaken } from './ready.ts';

export type { AuditEvent } from './audit.ts';
export type { KubectlOptions, KubectlResult } from './kubectl.ts';

/** At the very end there is no data left to save; what is still busy by then may be killed. */
const lastGraceMs = 200;

export interface ControlPlaneOptions {
  /** Controllers of the kube-controller-manager to start with; none unless given. */
  readonly controllers?: readonly string[];
  /** More flags for the API server, for example a feature gate. */
  readonly apiServerArguments?: readonly string[];
  /** The path of another kube-apiserver, such as that of an older Kubernetes. */
  readonly apiServerProgram?: string;
  /** Leave the folder with the logs behind, for a day at most. */
  readonly keepLogs?: boolean;
  /** Where its programs run: here, on the loopback interface, unless given. */
  readonly place?: (guard: Guard, folder: string) => Promise<Place>;
}

/** Another network to run in, reached from here under an address. */
export interface Place {
  readonly address: string;
  /** Runs programs there. */
  readonly guard: Guard;
  /** Flags that the API server needs there. */
  apiServerArguments(layout: Layout): string[];
  stop(): Promise<void>;
}

export interface ControlPlane {
  readonly url: string;
  readonly dir: string;
  /** Of its etcd; empty where it is lent. */
  readonly etcdUrl: string;
  /** Of an administrator (group system:masters). */
  readonly kubeconfigPath: string;
  readonly caPath: string;
  /** The private key of that CA, which signs clients of the API server too. */
  readonly caKeyPath: string;
  readonly kubectlPath: string;
  /** Writes the kubeconfig of another user, who signs in with a client certificate, and comes back with its path. */
  kubeconfigFor(user: string, groups?: readonly string[]): Promise<string>;
  readonly auditLogPath: string;
  /** A request shows up here a moment after its answer has arrived. */
  auditEvents(): Promise<AuditEvent[]>;
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Same address, same data. */
  restartApiServer(options?: { readonly downForMs?: number }): Promise<void>;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** Replaces the controllers that ran before; see controllerManagerArguments. Comes back once their caches are filled. */
  startControllerManager(controllers: readonly string[], signing?: PairFiles): Promise<void>;
  stopControllerManager(): Promise<void>;
  stop(): Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  return (await startWithParts(options)).controlPlane;
}

/**
 * One with our CRDs and nothing else in it: the one that was lent to this process, else a new one into which `install`
 * brings them. For tests that neither stop nor configure the API server.
 */
export async function shareControlPlane(
  controllers: readonly string[],
  install: (cluster: ControlPlane) => Promise<unknown>,
): Promise<ControlPlane> {
  const lent = await borrowControlPlane(controllers);
  if (lent !== undefined) return lent;
  const cluster = await startControlPlane({ controllers });
  try {
    await install(cluster);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** For who starts more programs beside it, which belong to the same run. */
export async function startWithParts(options: ControlPlaneOptions): Promise<{
  readonly controlPlane: ControlPlane;
  readonly layout: Layout;
}> {
  const binaries = await ensurePrograms(['etcd', 'kube-apiserver', 'kubectl']);
  removeLeftovers();
  const folder = createRunFolder();
  if (options.keepLogs) {
    markKept(folder);
  }
  const guard = startGuard(folder, { removeFolder: !options.keepLogs });
  try {
    const place = (await options.place?.(guard, folder)) ?? here(guard);
    const layout = prepareFolder(folder, place.address);
    const etcd = await startEtcd(place.guard, binaries.etcd, layout);
    const program = options.apiServerProgram ?? binaries['kube-apiserver'];
    const apiServer = await startApiServer(place.guard, program, layout, etcd, {
      ...options,
      apiServerArguments: [...place.apiServerArguments(layout), ...(options.apiServerArguments ?? [])],
    });
    writeKubeconfig(layout.adminKubeconfig, {
      url: apiServer.url,
      caPem: layout.issuer.certificatePem,
      user: 'certwheel-admin',
      client: apiServer.admin,
    });
    const controlPlane = assemble({
      ...{ guard, place, layout, etcd, apiServer, binaries },
      keepLogs: options.keepLogs === true,
    });
    if (options.controllers?.length) {
      await controlPlane.startControllerManager(options.controllers);
    }
    return { controlPlane, layout };
  } catch (error) {
    await guard.close();
    removeCgroups(folder);
    keepOnlyLogs(folder);
    const problem = error instanceof Error ? error.message : String(error);
    throw new Error(`The control plane did not start: ${problem}\nAll logs, for a day: ${folder}`, { cause: error });
  }
}

function here(guard: Guard): Place {
  return { address: '127.0.0.1', guard, apiServerArguments: () => [], stop: async () => {} };
}

function startApiServer(
  guard: Guard,
  program: string,
  layout: Layout,
  etcd: Etcd,
  { controllers = [], apiServerArguments = [] }: ControlPlaneOptions,
): Promise<ApiServer> {
  return retryWhilePortTaken(5, async () => {
    const apiServer = new ApiServer(guard, program, layout, {
      port: await freePort(),
      etcdPort: etcd.port,
      admitServiceAccounts: controllers.includes('serviceaccount-controller') || controllers.includes('*'),
      extra: apiServerArguments,
    });
    await apiServer.start();
    return apiServer;
  });
}

interface Parts {
  readonly guard: Guard;
  readonly place: Place;
  readonly layout: Layout;
  readonly etcd: Etcd;
  readonly apiServer: ApiServer;
  readonly binaries: Paths<'kubectl'>;
  readonly keepLogs: boolean;
}

function assemble({ guard, place, layout, etcd, apiServer, binaries, keepLogs }: Parts): ControlPlane {
  let manager: GuardedProcess | undefined;
  let stopped: Promise<void> | undefined;

  const stopAll = async () => {
    await Promise.all([manager?.stop(lastGraceMs), apiServer.stop(lastGraceMs), etcd.stop(lastGraceMs)]);
    await place.stop();
    await guard.close();
    removeCgroups(layout.folder);
    if (keepLogs) {
      keepOnlyLogs(layout.folder);
    } else {
      rmSync(layout.folder, { recursive: true, force: true, maxRetries: 10 });
    }
  };

  return {
    url: apiServer.url,
    dir: layout.folder,
    etcdUrl: `http://${layout.address}:${etcd.port}`,
    kubeconfigPath: layout.adminKubeconfig,
    caPath: layout.caCertificate,
    caKeyPath: layout.caKey,
    kubectlPath: binaries.kubectl,
    auditLogPath: layout.auditLog,
    kubeconfigFor: kubeconfigsIn(layout, apiServer.url),
    auditEvents: () => readAuditEvents(layout.auditLog),
    kubectl: (args, options = {}) => runKubectl(guard, binaries.kubectl, layout, args, options),
    async restartApiServer({ downForMs = 0 } = {}) {
      await apiServer.stop();
      await sleep(downForMs);
      await apiServer.restart();
    },
    stopApiServer: () => apiServer.stop(),
    startApiServer: () => apiServer.restart(),
    async startControllerManager(controllers, signing) {
      const program = await ensureProgram('kube-controller-manager');
      await manager?.stop();
      manager = await startManager(place.guard, program, layout, controllers, signing);
    },
    stopControllerManager: async () => manager?.stop(),
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
