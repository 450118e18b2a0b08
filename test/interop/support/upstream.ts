import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { onStop } from '../../teardown.ts';
import type { Credentials } from './authority.ts';

/** What it answers, as JSON: the proxy as it sees it, and the headers that the proxy has sent. */
export interface SeenByUpstream {
  /** Of the proxy's certificate; lower-case hex. */
  readonly proxySerial: string;
  /** Names in lower case, as they came, with repetitions. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A server that admits only clients with a certificate of `ca`, and says what a proxy has sent to it. */
export async function startUpstream(own: Credentials, ca: string): Promise<{ readonly port: number }> {
  const options = { cert: own.certificate, key: own.key, ca, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    const names = request.rawHeaders.filter((_, at) => at % 2 === 0);
    const headers = names.map((name, at) => [name.toLowerCase(), request.rawHeaders[2 * at + 1] ?? ''] as const);
    const proxySerial = socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '';
    const seen: SeenByUpstream = { proxySerial, headers };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(seen));
  });
  // The proxy alone decides how long a connection lives.
  server.keepAliveTimeout = 0;
  onStop(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
}
