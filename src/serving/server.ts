import {
  createServer as createHttp,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';
import type { Address } from './flags.ts';
import type { ServerTls } from './tls.ts';

export interface Page {
  readonly type: string;
  readonly body: string | Buffer;
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
}

export type PageMaker = (request: IncomingMessage, response: ServerResponse) => Page | Promise<Page>;

/** A port that is served. */
export interface Port {
  readonly port: number;
  close(): Promise<void>;
}

/** The pages of one port, by path, or what finds the page of a path. */
export type Pages = Readonly<Record<string, PageMaker>> | ((path: string) => PageMaker | undefined);

/** What clients of a port may take. Times in milliseconds. */
export interface Limits {
  /** Open connections. One more closes the oldest, so a client that holds all of them doesn't lock out the others. */
  readonly connections: number;
  /** For the TLS handshake, and again for the request. */
  readonly requestMs: number;
  /** Without a byte sent or received, such as to a client that doesn't read its response. */
  readonly idleMs: number;
  /** From the request to the last byte of the response, for clients that read it byte by byte. */
  readonly responseMs: number;
}

const LIMITS: Limits = { connections: 64, requestMs: 5_000, idleMs: 10_000, responseMs: 30_000 };
/** How often Node looks for requests that are late. */
const CHECKED_EVERY_MS = 1_000;
/** So much of a response is buffered for each connection. The rest is shared by all responses with the same body. */
const SLICE_BYTES = 64 * 2 ** 10;

interface ServeOptions {
  readonly tls?: ServerTls | undefined;
  readonly limits?: Limits;
  /** The pages that are answered to POST; none by default. Such a page reads the body of the request itself, up to a bound. */
  readonly posts?: Pages;
}

/** Serves GET and HEAD until `close`. Port 0 takes any free one, port -1 serves nothing. Throws StartError. */
export async function serve(
  what: string,
  address: Address,
  pages: Pages,
  { tls, limits = LIMITS, posts = {} }: ServeOptions = {},
): Promise<Port> {
  if (address.port === -1) return { port: -1, close: async () => {} };
  const server = createServer(listener(pages, posts, limits), tls, limits);
  server.timeout = limits.idleMs;
  server.on('connection', bounded(limits));
  await listen(server, what, address);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createServer(listen: RequestListener, tls: ServerTls | undefined, { requestMs }: Limits): Server {
  const options = {
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: CHECKED_EVERY_MS,
  };
  if (tls === undefined) return createHttp(options, listen);
  const server = createHttps({ ...options, ...tls.options(), handshakeTimeout: requestMs }, listen);
  tls.onChange((changed) => server.setSecureContext(changed));
  return server;
}

function bounded({ connections }: Limits): (socket: Socket) => void {
  const open = new Set<Socket>();
  return (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (oldest === undefined || open.size <= connections) return;
    open.delete(oldest);
    oldest.destroy();
  };
}

function listener(pages: Pages, posts: Pages, { responseMs }: Limits): RequestListener {
  return async (request, response) => {
    const end = setTimeout(() => request.socket.destroy(), responseMs).unref();
    response.once('close', () => clearTimeout(end));
    const path = (request.url ?? '').split('?')[0] ?? '';
    const { method } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    const found = isRead || method === 'POST' ? pageAt(isRead ? pages : posts, path) : undefined;
    if (found === undefined) {
      const isThere = pageAt(pages, path) !== undefined || pageAt(posts, path) !== undefined;
      response.writeHead(isThere ? 405 : 404).end();
      return;
    }
    try {
      await send(request, response, await found(request, response));
    } catch (error) {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(`${messageOf(error)}\n`);
    }
  };
}

function pageAt(pages: Pages, path: string): PageMaker | undefined {
  if (typeof pages === 'function') return pages(path);
  return Object.hasOwn(pages, path) ? pages[path] : undefined;
}

async function send({ method }: IncomingMessage, response: ServerResponse, page: Page): Promise<void> {
  const { type, body, status = 200, headers = {} } = page;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length, ...headers });
  if (method === 'HEAD') response.end();
  // A stream costs 0.1 ms, which is a third of a short answer.
  else if (bytes.length <= SLICE_BYTES) response.end(bytes);
  else await pipeline(Readable.from(slices(bytes)), response);
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

function listen(server: Server, what: string, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use' : `can't be served (${error.message})`;
      reject(new StartError(`the port of ${what}, ${host ?? ''}:${port}, ${reason}; choose another one, see --help`));
    });
    server.listen(port, host, () => resolve());
  });
}
