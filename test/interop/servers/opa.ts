import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cluster/ports.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { onStop } from '../../teardown.ts';
import { unavailableBuild } from '../support/available.ts';
import { startServer } from '../support/server-process.ts';

const FOLDER = join(import.meta.dirname, '../conf/opa');

/** Open Policy Agent with the policy of the guide, and the adapter between it and Envoy. */
export interface Opa {
  readonly adapterPort: number;
  /** What the adapter has logged. */
  adapterLog(): string;
  /** Of OPA alone; the adapter stays. */
  stop(): Promise<void>;
}

/** Throws Unavailable. */
export const installOpa = (): Promise<string> => ensureProgram('opa').catch(unavailableBuild);

export async function startOpa(): Promise<Opa> {
  const program = await installOpa();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-opa-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const [port, adapterPort] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${port}`;
  const args = ['run', '--server', '--disable-telemetry', '--addr', address, join(FOLDER, 'policy.rego')];
  const opa = await startServer({ name: 'opa', program, args, folder, port });
  const environment = { OPA: `http://${address}`, PORT: String(adapterPort) };
  const adapter = join(FOLDER, 'adapter.mjs');
  const { log } = await startServer({
    name: 'adapter',
    program: process.execPath,
    args: [adapter],
    environment,
    folder,
    port: adapterPort,
  });
  return { adapterPort, adapterLog: log, stop: opa.stop };
}
