import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ControlPlane } from '../../../cluster/control-plane.ts';
import { type GuardedProcess, startGuard } from '../../../cluster/guard.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { BUILD_ENVIRONMENT, moduleFolder } from '../../../programs/modules.ts';
import { ensureProgram } from '../../../programs/programs.ts';

const NAME = 'cert-manager';
const MODULE = 'github.com/cert-manager/cert-manager';

/** cert-manager's own controllers for issuers and requests, on a control plane that has its CRDs. */
export interface CertManager {
  /** As pinned in go.mod. */
  readonly version: string;
  /** Starts them; without `approver`, nobody approves. */
  start(options?: { readonly approver?: boolean }): Promise<void>;
  halt(): Promise<void>;
  stop(): Promise<void>;
}

/** Installs the CRDs, and builds the controllers the first time. Starts nothing yet. */
export async function prepareCertManager(cluster: ControlPlane): Promise<CertManager> {
  const path = await ensureProgram(NAME);
  const run = promisify(execFile);
  const version = (await run(path, ['--version'])).stdout.trim();
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], {
    cwd: moduleFolder('servers'),
    env: { ...process.env, ...BUILD_ENVIRONMENT },
  });
  const crds = join((JSON.parse(stdout) as { Dir: string }).Dir, 'deploy/crds');
  await cluster.kubectl(['apply', '--server-side', '-f', crds]);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/certificaterequests.cert-manager.io']);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-cert-manager-'));
  const guard = startGuard(folder, { removeFolder: true });
  let running: GuardedProcess | undefined;
  const halt = async () => {
    await running?.stop();
    running = undefined;
  };
  return {
    version,
    halt,
    start: async ({ approver = true } = {}) => {
      await halt();
      const log = new LogPart(join(folder, 'log'));
      const args = ['--kubeconfig', cluster.kubeconfigPath, `--approver=${approver}`];
      const started = guard.run(NAME, path, args, { folder, logPath: log.path });
      running = started;
      await waitUntilReady(started, log, async () => log.read().includes(`started ${version}`));
    },
    stop: async () => {
      await halt();
      await guard.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
