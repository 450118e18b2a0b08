// Stands in for the closed port of a server that is away: there, nobody could count who knocks.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStop } from '../../teardown.ts';

/** Takes every connection and closes it at once. */
export interface ClosedDoor {
  /** When somebody knocked, in milliseconds of `performance.now()`. */
  readonly knocks: readonly number[];
  open(): Promise<void>;
}

export async function closeDoor(address: string): Promise<ClosedDoor> {
  const { hostname, port } = new URL(address);
  const knocks: number[] = [];
  const server = createServer((socket) => {
    knocks.push(performance.now());
    socket.on('error', () => {});
    socket.resetAndDestroy();
  });
  const open = onStop(async () => {
    server.close();
    await once(server, 'close');
  });
  // Who stood here has just left, and may have left something behind.
  for (;;) {
    server.listen(Number(port), hostname);
    const failed = await Promise.race([
      once(server, 'listening').then(() => false),
      once(server, 'error').then(() => true),
    ]).catch(() => true);
    if (!failed) break;
    await sleep(100);
  }
  return { knocks, open };
}
