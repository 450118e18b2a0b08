/**
 * A fake of the APIs of Google that googleCAS calls: CA Service, STS and IAM Credentials, on one address. It is a fake
 * since Google has neither an emulator of CA Service nor anything of it to run. What it takes and gives must be in
 * Google's own description of the API (google-protos.ts), tokens are verified, and certificates are really signed.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { createIssuer, issueServer, type Pair } from '../../../cluster/certificates.ts';
import { freePort } from '../../../cluster/ports.ts';
import { onStop } from '../../../teardown.ts';
import { invalidArgument, notFound, RpcError } from './google-errors.ts';
import { Identities } from './google-identities.ts';
import { addCa, newPool, type Pool } from './google-pools.ts';
import { GoogleProtos } from './google-protos.ts';
import { Service } from './google-service.ts';

export interface GoogleCas {
  readonly url: string;
  /** PEM of the CA of its TLS certificate, and the pair of another server behind it. */
  readonly ca: string;
  readonly tls: Pair;
  readonly identities: Identities;
  readonly service: Service;
  /** The pool `clients`, of the tier Enterprise with a CA that is enabled. */
  readonly pool: Pool;
  /** What was asked or answered that Google's description doesn't have; a test asserts that there is nothing. */
  readonly violations: readonly string[];
  readonly calls: readonly string[];
  halt(): Promise<void>;
  start(): Promise<void>;
}

export async function startGoogleCas(): Promise<GoogleCas> {
  const protos = await GoogleProtos.load();
  console.log(`# fake of Google CA Service, by @google-cloud/security-private-ca ${protos.version}`);
  const [identities, service] = [new Identities(), new Service()];
  const pool = newPool('clients', 'ENTERPRISE');
  await addCa(pool, 'ca-1');
  service.pools.set(pool.id, pool);
  const issuer = createIssuer('CA of the fake of Google');
  const tls = issueServer(issuer, ['127.0.0.1']);
  const port = await freePort();
  const violations: string[] = [];
  const calls: string[] = [];
  const strictly = <T>(ask: () => T): T => {
    try {
      return ask();
    } catch (error) {
      violations.push((error as Error).message);
      throw invalidArgument(`Invalid JSON payload received: ${(error as Error).message}`);
    }
  };

  const answer = async (request: IncomingMessage, body: Buffer): Promise<object> => {
    const url = new URL(request.url ?? '/', 'https://fake');
    calls.push(`${request.method} ${url.pathname}`);
    if (url.pathname === '/v1/token') return identities.exchange(new URLSearchParams(body.toString()));
    const principal = await identities.authenticate(request.headers.authorization);
    const [, email] = /^\/v1\/projects\/-\/serviceAccounts\/([^/]+):generateAccessToken$/.exec(url.pathname) ?? [];
    if (email !== undefined) return identities.impersonate(principal, decodeURIComponent(email));
    const json = body.length === 0 ? undefined : JSON.parse(body.toString());
    const routed = strictly(() => protos.route(request.method ?? '', url, json));
    const method = routed && service.methods[routed.method];
    if (routed === undefined || method === undefined) throw notFound(url.pathname);
    const answered = method(routed.request, principal);
    strictly(() => protos.assertAnswer(routed.method, answered));
    return answered;
  };

  const open = async () => {
    const server = createServer({ cert: tls.certificatePem, key: tls.keyPem }, async (request, response) => {
      const send = (status: number, content: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
      try {
        send(200, await answer(request, await buffer(request)));
      } catch (error) {
        if (error instanceof RpcError) send(error.http, error.body);
        else if (error instanceof Error && 'oauth' in error) send(400, error.oauth as object);
        else send(500, { error: { code: 500, message: String(error), status: 'INTERNAL' } });
      }
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let running: Awaited<ReturnType<typeof open>> | undefined = await open();
  const halt = async () => {
    const server = running;
    running = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.closeAllConnections();
    server.close();
    await closed;
  };
  onStop(halt);
  return {
    url: `https://127.0.0.1:${port}`,
    ca: issuer.certificatePem,
    tls,
    identities,
    service,
    pool,
    violations,
    calls,
    halt,
    start: async () => {
      running ??= await open();
    },
  };
}
