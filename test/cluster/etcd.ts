import { rmSync } from 'node:fs';
import { etcdArguments, memberName } from './flags.ts';
import type { Guard } from './guard.ts';
import type { Layout } from './layout.ts';
import { freePort } from './ports.ts';
import { LogPart, retryWhilePortTaken, waitUntilReady } from './ready.ts';

export interface Etcd {
  readonly port: number;
  stop(graceMs: number): Promise<void>;
}

export function startEtcd(guard: Guard, program: string, layout: Layout): Promise<Etcd> {
  return retryWhilePortTaken(5, async () => {
    const ports = { client: await freePort(), peer: await freePort() };
    // What a lost race for a port left behind names the old port.
    rmSync(layout.etcdData, { recursive: true, force: true });
    const log = new LogPart(layout.log('etcd'));
    const etcd = guard.run('etcd', program, etcdArguments(layout, ports), {
      folder: layout.folder,
      logPath: log.path,
    });
    await waitUntilReady(
      etcd,
      log,
      async () => (await nameOfMember(layout.address, ports.client)) === memberName(layout),
    );
    return { port: ports.client, stop: (graceMs) => etcd.stop(graceMs) };
  });
}

async function nameOfMember(address: string, port: number): Promise<string | undefined> {
  const response = await fetch(`http://${address}:${port}/v3/cluster/member/list`, {
    method: 'POST',
    body: '{}',
    signal: AbortSignal.timeout(2000),
  });
  const { members } = (await response.json()) as { members?: { name?: string }[] };
  return members?.[0]?.name;
}
