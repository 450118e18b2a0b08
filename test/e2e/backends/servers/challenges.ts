import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { ensureProgram } from '../../../programs/programs.ts';

const HOST = '127.0.0.1';

/** pebble-challtestsrv: answers DNS for every name and HTTP-01 challenges, as it is told. */
export interface ChallengeServer {
  /** `host:port` of the name server. */
  readonly dns: string;
  readonly httpPort: number;
  /** A call of its management API, such as set-txt. */
  tell(action: string, body: object): Promise<void>;
  stop(): Promise<void>;
}

export async function startChallengeServer(): Promise<ChallengeServer> {
  const program = await ensureProgram('pebble-challtestsrv');
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-challenges-'));
  const guard = startGuard(folder, { removeFolder: true });
  const [dnsPort, httpPort, managementPort] = [await freePort(), await freePort(), await freePort()];
  const log = new LogPart(join(folder, 'challenges.log'));
  const args = {
    defaultIPv4: HOST,
    defaultIPv6: '',
    dnsserver: `${HOST}:${dnsPort}`,
    http01: `${HOST}:${httpPort}`,
    https01: '',
    tlsalpn01: '',
    doh: '',
    management: `${HOST}:${managementPort}`,
  };
  const flags = Object.entries(args).map(([name, value]) => `-${name}=${value}`);
  const started = guard.run('pebble-challtestsrv', program, flags, { folder, logPath: log.path });
  const tell = async (action: string, body: object) => {
    const answer = await fetch(`http://${HOST}:${managementPort}/${action}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${action} was answered ${answer.status}: ${await answer.text()}`);
  };
  await waitUntilReady(started, log, () => tell('clear-txt', { host: 'ready.example.' }).then(() => true));
  return {
    dns: `${HOST}:${dnsPort}`,
    httpPort,
    tell,
    stop: async () => {
      await guard.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
