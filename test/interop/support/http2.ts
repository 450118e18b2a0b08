import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { onStop } from '../../teardown.ts';
import type { Call } from './request.ts';

/** An HTTP/2 connection that is kept open. */
export interface Connection {
  /** Of the certificate that the server presented at the handshake; lower-case hex. */
  readonly serverSerial: string;
  /** Whether the server has ended it, or has announced that (GOAWAY). */
  isOver(): boolean;
  get(path: string): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }>;
}

export async function openConnection({ port, ca, client }: Call): Promise<Connection> {
  const own = client === undefined ? {} : { cert: client.certificate, key: client.key };
  const session: ClientHttp2Session = connect(`https://localhost:${port}`, { ca, ...own, lookup });
  onStop(() => session.destroy());
  let isOver = false;
  session.on('goaway', () => {
    isOver = true;
  });
  session.on('close', () => {
    isOver = true;
  });
  await once(session, 'connect');
  session.on('error', () => {});
  return {
    serverSerial: (session.socket as TLSSocket).getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '',
    isOver: () => isOver,
    get: async (path) => {
      const stream = session.request({ ':path': path });
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
      return { status: headers[':status'] ?? 0, headers, body: await text(stream) };
    },
  };
}

/** The name is that of the certificate; the address is that of this machine. */
const lookup: LookupFunction = (_name, { all }, done) => {
  if (all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
