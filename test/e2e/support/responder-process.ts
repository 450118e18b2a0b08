import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESPONDER_KEYS_NAME } from '../../../src/api/books-names.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { freePort } from '../../cluster/ports.ts';
import { onStop } from '../../teardown.ts';
import { askOf } from '../../unit/responder-world.ts';
import { eventually } from './eventually.ts';
import type { World } from './world.ts';

const MAIN = `${import.meta.dirname}/../../../src/responder/main.ts`;

export interface RevocationResponder {
  readonly url: string;
  readonly pid: number;
  readonly ask: ReturnType<typeof askOf>;
  /** Whether the process has neither ended nor been ended. */
  isRunning(): boolean;
  /** Brings the Secret with the keys into the folder, as the kubelet does with a volume. */
  sync(): Promise<void>;
}

/** The real responder of CRLs and OCSP answers, in a process of its own; it ends with the test file. */
export async function startRevocationResponder(
  world: World,
  namespace: string,
  kubeconfig = world.cluster.kubeconfigPath,
): Promise<RevocationResponder> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-responder-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const flags = [`--bind-address=127.0.0.1:${port}`, `--keys=${folder}`, `--controller-namespace=${namespace}`];
  const args = [MAIN, ...flags, `--kubeconfig=${kubeconfig}`, '--log-level=warn'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env: {} });
  onStop(
    () =>
      new Promise<void>((resolve) => {
        if (child.exitCode !== null) resolve();
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  );
  const ask = askOf(port);
  await eventually('the responder is ready', async () => (await ask('/readyz').catch(() => undefined))?.status === 200);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    ask,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    sync: async () => {
      const secret = await world.client.get(SECRETS, namespace, RESPONDER_KEYS_NAME);
      const data = Object.entries(secret?.data ?? {});
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      for (const [name, text] of data) writeFileSync(join(folder, name), Buffer.from(text, 'base64'), { mode: 0o600 });
    },
  };
}
