import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range that systems draw outgoing ports from: while the API server is down for a restart, a client that
 * keeps dialling its port would otherwise sooner or later be given that very port and connect to itself.
 */
const range = { from: 15_000, to: 30_000 } as const;
const attempts = 200;

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(range.from, range.to);
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`No free port on 127.0.0.1 between ${range.from} and ${range.to} after ${attempts} tries.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
