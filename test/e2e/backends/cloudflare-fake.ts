// A fake of Cloudflare's API v4: Cloudflare runs nowhere but at Cloudflare, and publishes no emulator. Its shapes are those
// of the official SDK, which calls it in cloudflare-sdk.test.ts; its numbers of errors are those of reference pages.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { freePort } from '../../cluster/ports.ts';
import { onStop } from '../../teardown.ts';
import { type FakeZone, Refused } from './cloudflare-fake-zone.ts';

export interface FakeToken {
  readonly status: 'active' | 'disabled' | 'expired';
  /** What it may do with the zone; `none` is a token of another zone. */
  readonly access: 'write' | 'read' | 'none';
}

/** A server that answers as Cloudflare does, on this host. */
export interface CloudflareFake {
  /** With the path of the API. */
  readonly url: string;
  readonly origin: string;
  /** PEM of the CA of its TLS certificate. */
  readonly ca: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly tokens: Map<string, FakeToken>;
  readonly zone: FakeZone;
  /** `POST /zones/…`, without the query. */
  readonly calls: string[];
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const BASE = '/client/v4';
const MOST_PER_PAGE = 50;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function startCloudflareFake(zone: FakeZone): Promise<CloudflareFake> {
  const port = await freePort();
  const issuer = createIssuer('CA of the fake of Cloudflare');
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const tokens = new Map<string, FakeToken>();
  const calls: string[] = [];
  const running = new Listening({ cert, key }, port, async (method, url, authorization, body) => {
    const { pathname, searchParams: query } = new URL(url, 'https://fake');
    const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : '';
    calls.push(`${method} ${path}`);
    const token = authorization.replace(/^Bearer /, '');
    return answerTo({ method, path, query, token, body: parsed(body) }, zone, tokens);
  });
  await running.start();
  const stop = onStop(() => running.halt());
  const origin = `https://127.0.0.1:${port}`;
  return {
    url: `${origin}${BASE}`,
    origin,
    ca: issuer.certificatePem,
    tls: { cert, key },
    tokens,
    zone,
    calls,
    halt: () => running.halt(),
    start: () => running.start(),
    stop,
  };
}

type Handle = (method: string, url: string, authorization: string, body: string) => Promise<Answer>;

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** The listener, which can be away for a while. */
class Listening {
  readonly #tls: { readonly cert: string; readonly key: string };
  readonly #port: number;
  readonly #handle: Handle;
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;

  constructor(tls: { readonly cert: string; readonly key: string }, port: number, handle: Handle) {
    this.#tls = tls;
    this.#port = port;
    this.#handle = handle;
  }

  async start(): Promise<void> {
    const server = createServer(this.#tls, (incoming, outgoing) => {
      const { method = 'GET', url = '/', headers } = incoming;
      const answer = async () => {
        const body = (await buffer(incoming)).toString();
        const { status, body: content } = await this.#handle(method, url, headers.authorization ?? '', body);
        outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
      };
      answer().catch(() => outgoing.destroy());
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  async halt(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  return body === '' ? {} : JSON.parse(body);
}

function answerTo(call: Call, zone: FakeZone, tokens: ReadonlyMap<string, FakeToken>): Answer {
  try {
    const { result, info } = dispatch(call, zone, authorized(call, tokens));
    const body = {
      success: true,
      errors: [],
      messages: [],
      result,
      ...(info === undefined ? {} : { result_info: info }),
    };
    return { status: 200, body };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { status, code, message } = error;
    return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
  }
}

function authorized({ token, path }: Call, tokens: ReadonlyMap<string, FakeToken>): FakeToken {
  const known = tokens.get(token);
  const isVerify = path === '/user/tokens/verify';
  if (known === undefined) throw isVerify ? new Refused(401, 1000, 'Invalid API Token') : noAccess();
  if (known.status !== 'active' && !isVerify) throw noAccess();
  return known;
}

function noAccess(): Refused {
  return new Refused(403, 10_000, 'Authentication error');
}

interface Found {
  readonly result: unknown;
  readonly info?: object;
}

function dispatch(call: Call, zone: FakeZone, { status, access }: FakeToken): Found {
  const { method, path, query, body } = call;
  if (path === '/user/tokens/verify') return { result: { id: 'ed17574386854bf78a67040be0a770b0', status } };
  const [, place = '', owner, kind = '', id = '', below = ''] = path.split('/');
  const isZone = place === 'zones' && owner === zone.zone;
  const isAccount = place === 'accounts' && owner === zone.account;
  if (place === 'zones' && !/^[0-9a-f]{32}$/.test(owner ?? ''))
    throw new Refused(400, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
  if (!(isZone || isAccount) || access === 'none' || (method !== 'GET' && access !== 'write')) throw noAccess();
  const made = [place, kind, below === '' ? '' : id, below].filter((part) => part !== '').join('/');
  switch (`${method} ${made}${id !== '' && below === '' ? '/one' : ''}`) {
    case 'POST zones/client_certificates':
      return { result: zone.create(body) };
    case 'GET zones/client_certificates':
      return page(
        zone.issued.filter((each) => isAsked(each.status, query.get('status'))),
        query,
      );
    case 'GET zones/client_certificates/one':
      return { result: zone.find(id) };
    case 'DELETE zones/client_certificates/one':
      return { result: zone.revoke(id) };
    case 'PATCH zones/client_certificates/one':
      return { result: zone.reactivate(id, body) };
    case 'GET zones/certificate_authorities/one':
      return { result: zone.associations(query.get('mtls_certificate_id') ?? '') };
    case 'PUT zones/certificate_authorities/one':
      return { result: zone.associate(body) };
    case 'POST accounts/mtls_certificates':
      return { result: zone.upload(body) };
    case 'GET accounts/mtls_certificates':
      return { result: zone.uploaded };
    case 'GET accounts/mtls_certificates/one':
      return { result: zone.findUpload(id) };
    case 'DELETE accounts/mtls_certificates/one':
      return { result: zone.removeUpload(id) };
    default:
      throw new Refused(404, 7000, 'No route for that URI');
  }
}

function isAsked(status: string, asked: string | null): boolean {
  return asked === null || asked === 'all' || asked === status;
}

/** Newest first, as lists of the API are. */
function page(all: readonly unknown[], query: URLSearchParams): Found {
  const perPage = Math.min(MOST_PER_PAGE, Number(query.get('per_page') ?? 20));
  const number = Number(query.get('page') ?? 1);
  const result = all.toReversed().slice((number - 1) * perPage, number * perPage);
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const info = { page: number, per_page: perPage, count: result.length, total_count: all.length, total_pages: pages };
  return { result, info };
}
