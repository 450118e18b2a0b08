import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import type { Mounted } from '../../demo/mounted.ts';
import { shakeHands } from '../../demo/mtls-client.ts';
import { startLineProcess } from '../../pki/verifiers/line-process.ts';
import { findStrictPython } from '../programs/strict-python.ts';

/** What a Secret holds. */
export type Material = Pick<Mounted, 'cert' | 'key' | 'ca' | 'serial'>;

export interface StrictPeer {
  readonly python: string;
  readonly openssl: string;
  readonly strictByDefault: boolean;
  /** Node shows `client` to a server in Python, which has the certificate `server`. Both verify. Throws Python's error. */
  accepts(client: Material, server: Material): Promise<void>;
  /** The same with the client in Python. */
  trusts(server: Material, client: Material): Promise<void>;
  stop(): Promise<void>;
}

export async function startStrictPeer(): Promise<StrictPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-strict-'));
  const peer = startLineProcess('the Python of strict handshakes', await findStrictPython());
  const { port, ...about } = JSON.parse(await peer.ask('about'));
  const write = ({ cert, key, ca }: Material) => {
    for (const [name, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca }))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
  };
  return {
    ...about,
    async accepts(client, server) {
      write(server);
      const [answer, handshake] = await Promise.all([
        peer.ask(`accept ${folder}`),
        shakeHands(port, client).then(
          () => undefined,
          (error: Error) => error,
        ),
      ]);
      expectSerial(answer, client.serial);
      if (handshake !== undefined) throw handshake;
    },
    async trusts(server, client) {
      write(client);
      const seen: string[] = [];
      const listening = await serve(server, (serial) => seen.push(serial));
      try {
        expectSerial(await peer.ask(`connect ${folder} ${listening.port}`), server.serial);
      } finally {
        await listening.close();
      }
      if (seen[0] !== client.serial) throw new Error(`Node saw certificate ${seen[0]}, not ${client.serial}`);
    },
    async stop() {
      await peer.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Python prints serial numbers in whole bytes. */
function expectSerial(answer: string, serial: string): void {
  if (answer !== `ok ${serial}`) throw new Error(answer);
}

async function serve({ cert, key, ca }: Material, saw: (serial: string) => void) {
  const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (socket: TLSSocket) => {
    saw(socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '');
    socket.on('error', () => {}).end('.');
  });
  // The client says why it refused.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
