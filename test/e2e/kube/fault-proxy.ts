import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onStop } from '../../teardown.ts';
import { WatchPipe } from './watch-pipe.ts';

/** A request as rules see it. */
export interface ProxiedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Whether it opens a watch. */
  watch: boolean;
  /** When it came in, in milliseconds of `performance.now()`: before it is answered in any way. */
  atMs: number;
}

export type Matcher = (request: ProxiedRequest) => boolean;

export type Fault =
  /** Holds the request back before it is passed on. */
  | { kind: 'delay'; ms: number }
  /** Neither passes it on nor answers. */
  | { kind: 'hang' }
  /** Cuts the connection before the API server has seen anything. */
  | { kind: 'dropBefore' }
  /** The API server does what was asked, and its answer is lost. */
  | { kind: 'dropAfter' }
  /** Answers in place of the API server: a Status unless a body is given. */
  | { kind: 'answer'; status: number; reason?: string; retryAfter?: string; body?: string; contentType?: string }
  /** Passes on this many bytes of the answer, then cuts the connection. */
  | { kind: 'truncate'; bytes: number };

export interface RuleOptions {
  /** Wears off after this many requests; 1 unless told. */
  times?: number;
}

export interface FaultProxy {
  readonly url: string;
  /** An administrator's, by way of the proxy. A request with credentials of its own keeps them. */
  readonly kubeconfigPath: string;
  /** Every request that came in, in order. */
  readonly requests: ProxiedRequest[];
  /** The rule that was made last wins. Answers the function that ends it. */
  when(match: Matcher, fault: Fault, options?: RuleOptions): () => void;
  /** Watches that are open now and match. */
  watches(match?: Matcher): WatchPipe[];
  /** Rewrites the lines of watches opened from now on: none drops an event, two duplicate it. Answers the function that ends it. */
  onWatchLine(match: Matcher, rewrite: (line: string) => string[]): () => void;
  /** TCP connections that clients hold open. */
  connections(): number;
  close(): Promise<void>;
}

interface Rule {
  match: Matcher;
  fault: Fault;
  left: number;
}

interface LineRule {
  match: Matcher;
  rewrite: (line: string) => string[];
}

interface Upstream {
  url: URL;
  agent: Agent;
}

/** Stands between a client and the API server as plain HTTP, and breaks the requests that its rules name; ends with the file. */
export async function startFaultProxy(kubeconfigPath: string): Promise<FaultProxy> {
  const upstream = readUpstream(kubeconfigPath);
  const rules: Rule[] = [];
  const lineRules: LineRule[] = [];
  const requests: ProxiedRequest[] = [];
  const pipes = new Map<WatchPipe, ProxiedRequest>();
  const sockets = new Set<Socket>();

  const server = createServer((incoming, outgoing) => {
    const seen = describe(incoming);
    requests.push(seen);
    const rule = rules.findLast((one) => one.left > 0 && one.match(seen));
    if (rule) rule.left--;
    const rewrites = lineRules.filter((one) => one.match(seen)).map((one) => one.rewrite);
    handle(incoming, outgoing, rule?.fault, (pipe) => {
      for (const rewrite of rewrites) pipe.rewrites.push(rewrite);
      pipes.set(pipe, seen);
      outgoing.once('close', () => pipes.delete(pipe));
    }).catch(() => outgoing.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });

  async function handle(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    fault: Fault | undefined,
    opened: (pipe: WatchPipe) => void,
  ): Promise<void> {
    const body = await buffer(incoming);
    switch (fault?.kind) {
      case 'hang':
        return;
      case 'dropBefore':
        return reset(outgoing);
      case 'answer':
        return answer(outgoing, fault);
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
    }
    const received = await forward(upstream, incoming, outgoing, body);
    if (fault?.kind === 'dropAfter') {
      await buffer(received);
      return reset(outgoing);
    }
    outgoing.writeHead(received.statusCode ?? 502, withoutHopHeaders(received.headers));
    if (fault?.kind === 'truncate') {
      outgoing.write((await buffer(received)).subarray(0, fault.bytes));
      setImmediate(() => reset(outgoing));
      return;
    }
    if (received.statusCode === 200 && describe(incoming).watch) {
      outgoing.flushHeaders();
      opened(new WatchPipe(received, outgoing));
    } else {
      received.pipe(outgoing);
    }
  }

  const folder = mkdtempSync(join(tmpdir(), 'certwheel-proxy-'));
  const close = onStop(async () => {
    for (const socket of sockets) socket.destroy();
    upstream.agent.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ownKubeconfig = join(folder, 'kubeconfig');
  writeFileSync(ownKubeconfig, JSON.stringify(kubeconfigFor(url)));

  return {
    url,
    kubeconfigPath: ownKubeconfig,
    requests,
    when(match, fault, { times = 1 } = {}) {
      const rule = { match, fault, left: times };
      rules.push(rule);
      return () => {
        rule.left = 0;
      };
    },
    watches: (match = () => true) => [...pipes].filter(([, seen]) => match(seen)).map(([pipe]) => pipe),
    onWatchLine(match, rewrite) {
      const rule = { match, rewrite };
      lineRules.push(rule);
      return () => void lineRules.splice(lineRules.indexOf(rule), 1);
    },
    connections: () => sockets.size,
    close,
  };
}

function describe(incoming: IncomingMessage): ProxiedRequest {
  const url = new URL(incoming.url ?? '/', 'http://proxy');
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    watch: url.searchParams.get('watch') === 'true',
    atMs: performance.now(),
  };
}

/** The control plane writes kubeconfigs as JSON. */
function readUpstream(path: string): Upstream {
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const decode = (text: string) => Buffer.from(text, 'base64');
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  return {
    url: new URL(server),
    agent: new Agent({ keepAlive: true, ca: decode(ca), cert: decode(cert), key: decode(key) }),
  };
}

function kubeconfigFor(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster: { server } }],
    users: [{ name: 'proxy', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    'current-context': 'proxy',
  };
}

function forward(
  { url, agent }: Upstream,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...withoutHopHeaders(incoming.headers), host: url.host, 'content-length': body.length };
    const sent = httpsRequest(
      new URL(incoming.url ?? '/', url),
      { method: incoming.method ?? 'GET', headers, agent },
      resolve,
    );
    sent.on('error', reject);
    outgoing.once('close', () => outgoing.writableFinished || sent.destroy());
    sent.end(body);
  });
}

function withoutHopHeaders({
  connection: _connection,
  'transfer-encoding': _encoding,
  'keep-alive': _keepAlive,
  ...rest
}: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return rest;
}

function answer(outgoing: ServerResponse, fault: Fault & { kind: 'answer' }): void {
  const { status, reason = 'Unknown', retryAfter, contentType = 'application/json' } = fault;
  const body =
    fault.body ??
    JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: status,
      reason,
      message: `injected: ${reason}`,
    });
  outgoing.writeHead(status, {
    'content-type': contentType,
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  });
  outgoing.end(body);
}

function reset(outgoing: ServerResponse): void {
  outgoing.socket?.resetAndDestroy();
}
