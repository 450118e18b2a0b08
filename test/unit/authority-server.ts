/** An HTTPS server in the place of an authority, and the client that calls it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { AuthorityHttp, type HttpOptions } from '../../src/backends/http/client.ts';
import type { JsonRequest } from '../../src/backends/http/json.ts';
import { AuthorityError, type CertwheelError } from '../../src/errors.ts';
import { createIssuer, issueServer } from '../cluster/certificates.ts';
import { FakeClock } from './fake-clock.ts';

export const issuer = createIssuer('CA of servers');

export const stranger = createIssuer('CA of servers');
export const { signal } = new AbortController();
export const GET = { method: 'GET', path: '/v1/x' } as const satisfies JsonRequest;

interface Served {
  readonly url: string;
  readonly seen: IncomingMessage[];
}

/** A real HTTPS server for as long as `use` takes. */
export async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (served: Served) => Promise<void>,
  names = ['127.0.0.1'],
): Promise<void> {
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, names);
  const seen: IncomingMessage[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

export function client(server: string, options: Partial<HttpOptions> = {}): AuthorityHttp {
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  return new AuthorityHttp({
    server,
    caBundle: issuer.certificatePem,
    rules: { loopback: true },
    namespace: 'ns',
    clock,
    ...options,
  });
}

export async function failure(asking: Promise<unknown>): Promise<CertwheelError> {
  const thrown = await asking.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(thrown, AuthorityError);
  return thrown as AuthorityError;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
