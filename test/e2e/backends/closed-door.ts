// Stands in for the closed port of a server that is away: connections to a closed port could not be counted.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { onStop } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';

/** Takes every connection and closes it at once. */
export interface ClosedDoor {
  /** When each connection came, in milliseconds of `performance.now()`. */
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
  // The server that has just stopped may occupy the port for another moment.
  await eventually(`${address} can be listened on`, () => {
    server.listen(Number(port), hostname);
    const failed = once(server, 'error').then(() => false);
    return Promise.race([once(server, 'listening').then(() => true), failed]).catch(() => false);
  });
  return { knocks, open };
}
