import { ensureBinaries } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { programNames } from './recipe.ts';

const usage = `usage:
  node test/cluster/main.ts build            build the control plane, unless that has been done
  node test/cluster/main.ts up [controller…] run one until Ctrl-C, with these controllers of kube-controller-manager`;

async function main([command, ...rest]: readonly string[]): Promise<void> {
  switch (command) {
    case 'build':
      for (const path of Object.values(await ensureBinaries(programNames))) {
        console.log(path);
      }
      return;
    case 'up':
      await up(rest);
      return;
    default:
      throw new Error(usage);
  }
}

async function up(controllers: readonly string[]): Promise<void> {
  const controlPlane = await startControlPlane({ controllers });
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
