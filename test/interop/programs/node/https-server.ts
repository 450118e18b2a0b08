import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { Mounted } from './mounted.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
    tls: { type: 'string' },
  },
});

const mounted = new Mounted(values.folder);
let loaded = mounted.current();
const only = values.tls === undefined ? undefined : (`TLSv${values.tls}` as const as 'TLSv1.2' | 'TLSv1.3');
const versions = only === undefined ? {} : { minVersion: only, maxVersion: only };

// A resumed session isn't verified again: this is for how many seconds it may be resumed.
const sessions = { sessionTimeout: 300 };

const tls = { ...versions, ...sessions, requestCert: true, rejectUnauthorized: false };
const server = createServer({ ...loaded, ...tls }, (request, response) => {
  const socket = request.socket as TLSSocket;
  const { subject, serialNumber } = socket.getPeerCertificate();
  const identity = { commonName: subject?.CN, serial: serialNumber?.toLowerCase(), protocol: socket.getProtocol() };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(identity));
});
// With `rejectUnauthorized: true` Node.js refuses the same clients, but its error is ECONNRESET whatever the cause. This
// runs before the listener that reads requests.
server.prependListener('secureConnection', (socket: TLSSocket) => {
  if (socket.authorized) return;
  console.error(`client ${socket.remoteAddress} refused: ${socket.authorizationError}`);
  socket.destroy();
});
// Handshakes that fail earlier, such as those of clients that share no TLS version with this server.
server.on('tlsClientError', (error: Error & { code?: string }) => console.error(`TLS handshake error: ${error.code}`));
// For all connections from then on. What is left out here is reset to its default.
setInterval(() => {
  const fresh = mounted.current();
  if (fresh === loaded) return;
  loaded = fresh;
  try {
    server.setSecureContext({ ...fresh, ...versions, ...sessions });
  } catch (error) {
    // Such as a key of another certificate. Uncaught it would end the process.
    console.error(`the files were not loaded, the former ones stay in use: ${error}`);
  }
}, 1000);
server.listen(Number(values.port), '127.0.0.1', () => console.log(`ready ${(server.address() as AddressInfo).port}`));
