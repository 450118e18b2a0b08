import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGuard } from '../cluster/guard.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const SHOWN_LINES = 8;

export interface Controller {
  readonly logPath: string;
  /** Rejects when it ends though nobody has stopped it. */
  readonly lost: Promise<never>;
  stop(): Promise<void>;
}

/** The real controller, as a process of its own. The guard sees to it that it doesn't outlive us, whatever happens. */
export function startController(folder: string, kubeconfigPath: string): Controller {
  const guard = startGuard(folder);
  const logPath = join(folder, 'logs', 'certwheel.log');
  const controller = guard.run(
    'certwheel',
    process.execPath,
    [
      MAIN,
      ...['--kubeconfig', kubeconfigPath, '--log-format', 'text', '--routine-events'],
      // Ports of its own choosing: whatever else runs on this machine must not be in its way.
      ...['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'],
    ],
    { logPath },
  );
  let stopping = false;
  const lost = controller.ended.then(async ({ code, signal }): Promise<never> => {
    if (stopping) return new Promise(() => {});
    const end = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES);
    throw new Error(
      `the controller ended by itself (${signal ?? `exit code ${code}`}); its last words:\n  ${end.join('\n  ')}`,
    );
  });
  // It may be lost while nobody is waiting for that yet.
  lost.catch(() => {});
  return {
    logPath,
    lost,
    stop() {
      stopping = true;
      return guard.close();
    },
  };
}
