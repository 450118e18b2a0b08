import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Mounted } from './mounted.ts';

export interface MtlsServer {
  readonly port: number;
  /** New connections get the new certificate; nothing is restarted and no connection is cut. */
  reload(files: Mounted): void;
  close(): Promise<void>;
}

/**
 * Admits only clients whose certificate leads to its own ca.crt, and tells each the serial number that it has seen. Why
 * it refused one is told to `onRefused`, since that client only learns that the line is dead.
 */
export async function startMtlsServer(
  { cert, key, ca }: Mounted,
  onRefused: (reason: string) => void = () => {},
): Promise<MtlsServer> {
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, answer);
  server.on('tlsClientError', (_error, { authorizationError }) => {
    // Null, whatever its type says, when it was the client that turned the server down.
    if (authorizationError) onRefused(String(authorizationError));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    reload: ({ cert, key, ca }) => server.setSecureContext({ cert, key, ca }),
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(socket: TLSSocket): void {
  socket.on('error', () => {});
  socket.end(socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? 'nobody');
}
