import { text } from 'node:stream/consumers';
import type { Guard } from './guard.ts';
import type { Layout } from './layout.ts';

export interface KubectlOptions {
  readonly input?: string;
  /** Hand back a non-zero exit code instead of throwing. */
  readonly allowFailure?: boolean;
  /** Whose eyes to look through; the administrator's unless given. */
  readonly kubeconfigPath?: string;
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runKubectl(
  guard: Guard,
  program: string,
  layout: Layout,
  args: readonly string[],
  options: KubectlOptions,
): Promise<KubectlResult> {
  const kubeconfig = options.kubeconfigPath ?? layout.adminKubeconfig;
  const run = guard.run('kubectl', program, [`--kubeconfig=${kubeconfig}`, ...args], {
    // Otherwise each throw-away cluster would leave a discovery cache in the home folder.
    environment: { KUBECACHEDIR: layout.kubectlCache },
  });
  // EPIPE: it ended without reading all of its input; its exit code says more.
  run.stdin?.on('error', () => {});
  run.stdin?.end(options.input ?? '');
  const [stdout, stderr, { code, signal }] = await Promise.all([
    run.stdout ? text(run.stdout) : '',
    run.stderr ? text(run.stderr) : '',
    run.ended,
  ]);
  if (code !== 0 && options.allowFailure !== true) {
    throw new Error(`kubectl ${args.join(' ')} failed (${signal ?? `exit code ${code}`}):\n${stderr || stdout}`);
  }
  return { code: code ?? -1, stdout, stderr };
}
