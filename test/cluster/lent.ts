import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureProgram } from '../programs/programs.ts';
import { readAuditEvents } from './audit.ts';
import { issuerFrom } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import { startManager } from './controller-manager.ts';
import { type GuardedProcess, startGuard } from './guard.ts';
import { kubeconfigsIn } from './kubeconfig.ts';
import { runKubectl } from './kubectl.ts';
import { type Layout, layoutIn } from './layout.ts';

/** The lender sets it: address and folder of a control plane that runs already, as JSON. */
export const LENT_VARIABLE = 'CERTWHEEL_LENT_CONTROL_PLANE';

interface Loan {
  readonly url: string;
  readonly folder: string;
}

export function loanOf({ url, dir: folder }: ControlPlane): string {
  return JSON.stringify({ url, folder } satisfies Loan);
}

/** One process borrows it once: what it leaves behind is cleared away when it has ended, not before. */
let borrowed = false;

/**
 * The control plane that was lent to this process, with our CRDs and nothing else in it; undefined where none was lent,
 * or this process had it before.
 */
export async function borrowControlPlane(controllers: readonly string[]): Promise<ControlPlane | undefined> {
  const loan = process.env[LENT_VARIABLE];
  if (!loan || borrowed) return undefined;
  borrowed = true;
  const plane = await open(JSON.parse(loan) as Loan);
  if (controllers.length > 0) await plane.startControllerManager(controllers);
  return plane;
}

async function open({ url, folder: lender }: Loan): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-borrowed-'));
  const guard = startGuard(folder, { removeFolder: true });
  const layout = borrowedLayout(lender, folder);
  const kubectlPath = await ensureProgram('kubectl');
  const startedAt = statSync(layout.auditLog).size;
  let manager: GuardedProcess | undefined;
  let stopped: Promise<void> | undefined;
  const refuse = async () => {
    throw new Error('This control plane is lent and other tests use it next: ask for one of your own to restart it.');
  };
  return {
    url,
    dir: folder,
    etcdUrl: '',
    kubeconfigPath: layout.adminKubeconfig,
    caPath: layout.caCertificate,
    caKeyPath: layout.caKey,
    kubectlPath,
    kubeconfigFor: kubeconfigsIn(layout, url),
    auditLogPath: layout.auditLog,
    auditEvents: () => readAuditEvents(layout.auditLog, startedAt),
    kubectl: (args, options = {}) => runKubectl(guard, kubectlPath, layout, args, options),
    restartApiServer: refuse,
    stopApiServer: refuse,
    startApiServer: refuse,
    async startControllerManager(controllers, signing) {
      const program = await ensureProgram('kube-controller-manager');
      await manager?.stop();
      manager = await startManager(guard, program, layout, controllers, signing);
    },
    stopControllerManager: async () => manager?.stop(),
    stop() {
      stopped ??= guard.close().then(() => rmSync(folder, { recursive: true, force: true }));
      return stopped;
    },
  };
}

/** The lender's keys and its audit log; what this process writes goes into a folder of its own. */
function borrowedLayout(lender: string, folder: string): Layout {
  const lent = layoutIn(lender);
  const own = layoutIn(folder);
  for (const path of [own.kubeconfigs, join(folder, 'logs')]) mkdirSync(path, { recursive: true });
  const issuer = issuerFrom(readFileSync(lent.caCertificate, 'utf8'), readFileSync(lent.caKey, 'utf8'));
  const { kubeconfigs, kubectlCache, log } = own;
  return { ...lent, folder, address: '127.0.0.1', issuer, kubeconfigs, kubectlCache, log };
}
