import { prometheusPrograms } from '../monitoring/programs.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { startNode } from './node/node.ts';
import { ensurePackages } from './node/packages.ts';

const usage = `usage:
  node test/cluster/main.ts up [controller…] run one until Ctrl-C, with these controllers of kube-controller-manager
  node test/cluster/main.ts packages         install the Debian packages of a node, fetch that of Prometheus
  node test/cluster/main.ts node             run one with a node, and pods on it, until Ctrl-C`;

async function main([command, ...rest]: readonly string[]): Promise<void> {
  switch (command) {
    case 'up':
      await untilInterrupted(await startControlPlane({ controllers: rest }));
      return;
    case 'packages':
      await ensurePackages();
      await prometheusPrograms();
      return;
    case 'node':
      await untilInterrupted((await startNode()).cluster);
      return;
    default:
      throw new Error(usage);
  }
}

async function untilInterrupted(controlPlane: ControlPlane): Promise<void> {
  console.log(`kubeconfig: ${controlPlane.kubeconfigPath}`);
  console.log(`try:        ${controlPlane.kubectlPath} --kubeconfig ${controlPlane.kubeconfigPath} get namespaces`);
  console.log('Ctrl-C ends it and removes everything.');
  await interrupted();
  await controlPlane.stop();
}

/** Only the first signal is caught: a second one ends this process at once, and the watchdog clears up. */
async function interrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
  // A promise alone doesn't keep Node running.
  const alive = setInterval(() => {}, 1 << 30);
  await promise;
  clearInterval(alive);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
