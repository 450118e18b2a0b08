import { connect } from 'node:tls';
import type { Mounted } from './mounted.ts';

type Shown = Pick<Mounted, 'cert' | 'key' | 'ca' | 'serial'>;

const PATIENCE_MS = 5_000;

/**
 * One full handshake, no session resumed. Resolves with the serial number of the server's certificate; rejects with why
 * one side turned the other down.
 */
export function shakeHands(port: number, { cert, key, ca, serial }: Shown): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', cert, key, ca });
  let serverSerial = '';
  let answer = '';
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
  socket.on('secureConnect', () => {
    serverSerial = socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '';
  });
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', reject);
  socket.on('close', () => {
    // In TLS 1.3 a client is done before the server has looked at its certificate: only an answer says that it passed.
    if (answer === serial) resolve(serverSerial);
    else
      reject(new Error(answer === '' ? 'the server hung up' : `the server saw certificate ${answer}, not ${serial}`));
  });
  return promise;
}
