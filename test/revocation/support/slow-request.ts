import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { Call } from '../../interop/support/request.ts';
import { onStop } from '../../teardown.ts';

/** A request that is under way: its answer comes slowly (`download`), or its body does (`upload`). */
export interface SlowRequest {
  /** Whether the server still serves it. */
  isServed(): Promise<boolean>;
}

const PACE_MS = 200;
/** nginx sends once a second. */
const WATCHED_MS = 1_500;
const LENGTH = 10_000;

/** Sends the head of an HTTP/1.1 request over a new connection, and keeps it under way. */
export async function slowRequest(
  { port, ca, client, path = '/' }: Call,
  direction: 'download' | 'upload',
): Promise<SlowRequest> {
  const own = client === undefined ? {} : { cert: client.certificate, key: client.key };
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, ALPNProtocols: ['http/1.1'], ...own });
  onStop(() => socket.destroy());
  await once(socket, 'secureConnect');
  let [isOpen, received] = [true, 0];
  socket.on('error', () => {});
  socket.on('end', () => {
    isOpen = false;
  });
  socket.on('close', () => {
    isOpen = false;
  });
  socket.on('data', (data) => {
    received += data.length;
  });
  const length = direction === 'upload' ? `Content-Length: ${LENGTH}\r\n` : '';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n`);
  const timer = setInterval(() => {
    if (isOpen && direction === 'upload') socket.write('.');
  }, PACE_MS);
  onStop(() => clearInterval(timer));
  await sleep(PACE_MS);
  return {
    isServed: async () => {
      const before = received;
      await sleep(WATCHED_MS);
      // An answer to an upload would be its end.
      return isOpen && (direction === 'upload' ? received === 0 : received > before);
    },
  };
}
