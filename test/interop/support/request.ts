import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Credentials } from './authority.ts';
import type { TlsVersion } from './cells.ts';

export interface Call {
  readonly port: number;
  /** What the client trusts. */
  readonly ca: string;
  /** Undefined: the client shows no certificate. */
  readonly client?: Pick<Credentials, 'certificate' | 'key'> | undefined;
  /** Either unless given. */
  readonly tls?: TlsVersion;
  readonly path?: string;
  /** Of a POST in JSON, in place of a GET. */
  readonly json?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** To resume: of an earlier answer. */
  readonly session?: Buffer | undefined;
  /**
   * How long to wait for an alert after the handshake before the request is sent. In TLS 1.3 the server refuses a client
   * after the client's handshake has ended; if a request arrives meanwhile, the reset of the connection may overtake the alert.
   */
  readonly settleMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the certificate that the server has presented; lower-case hex. */
  readonly serverSerial: string;
  readonly protocol: string;
  /** The last one that the server has sent a ticket for; undefined if it has sent none. */
  readonly session: Buffer | undefined;
  readonly isResumed: boolean;
}

/** One HTTP/1.1 request over a new connection, resumed only if asked to. Throws the error of the connection. */
export async function request(call: Call): Promise<Answer> {
  const socket = await open(call);
  let session: Buffer | undefined;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  try {
    if (call.settleMs) await quiet(socket, call.settleMs);
    const serverSerial = socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '';
    const protocol = socket.getProtocol() ?? '';
    const answer = await send(socket, call);
    // A ticket of TLS 1.2 is part of the handshake, and has been read by then.
    session ??= protocol === 'TLSv1.2' ? socket.getSession() : undefined;
    return { ...answer, serverSerial, protocol, session, isResumed: socket.isSessionReused() };
  } finally {
    socket.destroy();
  }
}

const PATIENCE_MS = 10_000;

function open({ port, ca, client, tls, session }: Call): Promise<TLSSocket> {
  const version: ConnectionOptions = tls === undefined ? {} : { minVersion: `TLSv${tls}`, maxVersion: `TLSv${tls}` };
  const own = client === undefined ? {} : { cert: client.certificate, key: client.key };
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, session, ...own, ...version });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  socket.once('error', reject);
  socket.once('secureConnect', () => resolve(socket));
  socket.once('close', () => reject(new Error('connection closed')));
  return promise;
}

/** Throws if the connection ends within that time. */
async function quiet(socket: TLSSocket, ms: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('connection closed')));
  // Reads the alert, or the end; a server that speaks first would be an error here.
  socket.resume();
  await Promise.race([promise, sleep(ms)]);
  promise.catch(() => {});
}

async function send(socket: TLSSocket, { path = '/', headers = {}, json }: Call) {
  // Its events are over.
  if (socket.destroyed) throw new Error('connection closed');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('connection closed')));
  const call = httpRequest({
    createConnection: () => socket,
    path,
    method: json === undefined ? 'GET' : 'POST',
    headers: {
      host: 'localhost',
      connection: 'close',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  call.on('error', reject);
  call.on('response', resolve);
  call.end(json);
  const response = await promise;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/**
 * What a peer sees of a refusal, the same in each run: `alert certificate required`, `connection reset`, `HTTP 400: …`, or
 * the error code where the client itself refuses.
 */
export function refusalText(refusal: Answer | Error): string {
  if (!(refusal instanceof Error)) return `HTTP ${refusal.status}: ${firstWords(refusal.body)}`;
  const { message, code = '' } = refusal as NodeJS.ErrnoException;
  const alert = /(?:ssl\/tls|tlsv1(?:[.\d]*)|tlsv13|sslv3) alert ([a-z ]+)/.exec(message)?.[1];
  if (alert !== undefined) return `alert ${alert}`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'connection reset';
  return code === '' ? message : `client: ${code}`;
}

function firstWords(body: string): string {
  const title = /<title>(.*?)<\/title>/s.exec(body)?.[1] ?? body;
  return title
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 100);
}
