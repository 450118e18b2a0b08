import { accountKubeconfig } from '../chart/support/account.ts';
import { CHART, helm, NAMESPACE, values } from '../chart/support/helm.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { type ControllerProcess, startController } from '../e2e/support/controller-process.ts';
import { applyCrds, openWorld, type World } from '../e2e/support/world.ts';
import { apiServerOf, type OlderVersion } from './programs.ts';

/** What a CA waits for workloads to load its bundle. */
export const PROPAGATION_MS = 3_000;

/** An API server of another version, with the CRDs, and with the chart's roles and admission policies. */
export interface Scene {
  readonly world: World;
  /** Of the chart's ServiceAccount: the policies hold for it, and it has the chart's rights alone. */
  readonly kubeconfig: string;
  /** As the API server itself says it. */
  readonly gitVersion: string;
  stop(): Promise<void>;
}

export async function openScene(version: OlderVersion): Promise<Scene> {
  const cluster = await startControlPlane({ apiServerProgram: await apiServerOf(version) });
  const world = await openWorld(cluster, async () => {
    await applyCrds(cluster);
    await applyChart(cluster);
  });
  try {
    const [kubeconfig, gitVersion] = await Promise.all([accountKubeconfig(cluster), world.client.version()]);
    return { world, kubeconfig, gitVersion, stop: world.stop };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** `--validate` renders for what the API server says it is and has, as an install does. */
async function applyChart(cluster: World['cluster']): Promise<void> {
  const given = values({ 'crds.enabled': false });
  const render = ['template', 'certwheel', CHART, '--namespace', NAMESPACE, '--no-hooks', '--validate', ...given];
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: await helm(cluster, render) });
}

/** Runs a controller for as long as `body` takes. */
export async function whileServed<T>(
  kubeconfig: string,
  body: (controller: ControllerProcess) => Promise<T>,
): Promise<T> {
  const controller = await startController(kubeconfig, ['--trust-propagation', `${PROPAGATION_MS}ms`]);
  try {
    return await body(controller);
  } finally {
    await controller.kill();
  }
}
