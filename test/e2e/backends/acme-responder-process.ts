import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ACME_ACCOUNTS_NAME, CONFIG_MAPS } from '../../../src/api/names.ts';
import { freePort } from '../../cluster/ports.ts';
import { onStop } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import type { World } from '../support/world.ts';

const MAIN = `${import.meta.dirname}/../../../src/acme-responder/main.ts`;

export interface ResponderProcess {
  readonly port: number;
  /** Brings the ConfigMap of the namespace into the folder, as the kubelet does with a volume. */
  sync(world: World, namespace: string): Promise<void>;
  /** What it answers for a host. */
  ask(host: string, token: string): Promise<{ readonly status: number | undefined; readonly body: string }>;
}

/** The real responder, in a process of its own. */
export async function startResponder(): Promise<ResponderProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-accounts-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const args = [MAIN, `--bind-address=127.0.0.1:${port}`, `--accounts=${folder}`, '--log-level=error'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env: {} });
  onStop(
    () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  );
  const get = async (path: string, host: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, resolve).on('error', reject).end();
    const answer = await promise;
    return { status: answer.statusCode, body: await text(answer) };
  };
  await eventually(
    'the responder answers',
    async () => (await get('/healthz', 'x').catch(() => undefined))?.status === 200,
  );
  return {
    port,
    ask: (host, token) => get(`/.well-known/acme-challenge/${token}`, host),
    sync: async (world, namespace) => {
      const map = await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME);
      const data = (map?.data ?? {}) as Readonly<Record<string, string>>;
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      for (const [name, entry] of Object.entries(data)) writeFileSync(join(folder, name), entry);
    },
  };
}
