import { once } from 'node:events';
import { createServer, request, type ServerOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../cluster/ports.ts';
import { onStop } from '../../teardown.ts';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  /** What the client did, in milliseconds of `performance.now()`. */
  readonly atMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** Between two pieces of the body; without it all of it goes at once. */
  readonly msPerKilobyte?: number;
}

/** Undefined is no answer at all: the connection stays open. */
export type Intercept = (exchange: Exchange, pass: () => Promise<Answer>) => Promise<Answer | undefined>;

/** An HTTPS proxy in front of a real server, which passes everything on unless it is told to meddle with it. */
export interface InterceptingProxy {
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  /** Until it is told otherwise; undefined is honesty. */
  meddle(how: Intercept | undefined): void;
  stop(): Promise<void>;
}

export interface Upstream {
  readonly url: string;
  readonly ca: string;
  /** Whether it gets the name by which the client knows the proxy: a signature covers it, or its answers name it in URLs. */
  readonly keepsHost?: boolean;
}

/** `own` is what the proxy shows of itself: certificate and key. */
export async function startMeddler(
  upstream: Upstream,
  own: Pick<ServerOptions, 'cert' | 'key'>,
): Promise<InterceptingProxy> {
  const port = await freePort();
  const exchanges: Exchange[] = [];
  const sockets = new Set<Duplex>();
  let how: Intercept | undefined;
  const server = createServer(own, (incoming, outgoing) => {
    const answer = async () => {
      const { method = 'GET', url: path = '/', headers } = incoming;
      const exchange = { method, path, body: await buffer(incoming), atMs: performance.now() };
      exchanges.push(exchange);
      const pass = () => passOn(upstream, exchange, headers);
      const given = how === undefined ? await pass() : await how(exchange, pass);
      if (given === undefined) return;
      outgoing.writeHead(given.status, given.headers ?? { 'content-type': 'application/json' });
      const body = Buffer.from(given.body);
      if (given.msPerKilobyte !== undefined) {
        for (let at = 0; at < body.length && !outgoing.destroyed; at += 1024) {
          outgoing.write(body.subarray(at, at + 1024));
          await sleep(given.msPerKilobyte);
        }
        outgoing.end();
      } else outgoing.end(body);
    };
    answer().catch(() => outgoing.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  const stop = onStop(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${port}`,
    exchanges,
    meddle: (next) => {
      how = next;
    },
    stop,
  };
}

/** The same answer to all, or to some. */
export function answering(answer: Answer, where: (exchange: Exchange) => boolean = () => true): Intercept {
  return async (exchange, pass) => (where(exchange) ? answer : pass());
}

/** What clients heed of the headers of an answer. */
const PASSED_ON = ['content-type', 'location', 'link', 'replay-nonce', 'retry-after'] as const;

async function passOn(
  { url, ca, keepsHost = false }: Upstream,
  { method, path, body }: Exchange,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Promise<Answer> {
  const { host, connection: _, ...rest } = headers;
  const others = keepsHost ? { ...rest, host } : rest;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request(`${url}${path}`, { method, headers: others, ca, agent: false }, (response) => {
    const { statusCode: status = 502, headers: answered } = response;
    const passed = PASSED_ON.flatMap((name) => (answered[name] === undefined ? [] : [[name, String(answered[name])]]));
    const told = { 'content-type': 'application/json', ...Object.fromEntries(passed) };
    buffer(response).then((content) => resolve({ status, headers: told, body: content }), reject);
  });
  call.on('error', reject);
  call.end(body);
  return promise;
}
