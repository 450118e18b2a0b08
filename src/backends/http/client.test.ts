import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { json as jsonOf } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../../test/cluster/certificates.ts';
import { onStop, stopAll } from '../../../test/teardown.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { AuthorityError, type CertwheelError } from '../../errors.ts';
import { AuthorityHttp, type HttpOptions, Redirected, withinLimit } from './client.ts';
import { refusalError } from './errors.ts';
import type { JsonRequest } from './json.ts';

const issuer = createIssuer('CA of servers');
test.after(stopAll);

const stranger = createIssuer('CA of servers');
const { signal } = new AbortController();
const GET: JsonRequest = { method: 'GET', path: '/v1/x' };

interface Served {
  readonly url: string;
  readonly seen: IncomingMessage[];
}

/** A real HTTPS server for as long as `use` takes. */
async function serving(
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

function client(server: string, options: Partial<HttpOptions> = {}): AuthorityHttp {
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

async function failure(asking: Promise<unknown>): Promise<CertwheelError> {
  const thrown = await asking.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(thrown, AuthorityError);
  return thrown as AuthorityError;
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

test('JSON goes out and comes in, below the path of the server', () =>
  serving(
    async (request, response) => json(response, 200, { got: await jsonOf(request) }),
    async ({ url, seen }) => {
      const http = client(`${url}/behind/`);
      const answer = await http.json(
        { method: 'POST', path: '/v1/sign', headers: { 'x-a': 'b' }, body: { c: 1 } },
        signal,
      );
      assert.equal(answer, { status: 200, body: { got: { c: 1 } }, message: '', retryAfterMs: undefined });
      assert.is(http.server, `${url}/behind`);
      assert.equal(
        [seen[0]?.method, seen[0]?.url, seen[0]?.headers['x-a'], seen[0]?.headers['content-type']],
        ['POST', '/behind/v1/sign', 'b', 'application/json'],
      );
    },
  ));

test('a refusal is an answer, with what it says, and without what is secret', () =>
  serving(
    (_request, response) => json(response, 403, { errors: ['permission\n denied', 'for token s.abc'] }),
    async ({ url }) => {
      const answer = await client(url).json({ ...GET, secrets: ['s.abc'] }, signal);
      assert.is(answer.message, 'permission denied; for token […]');
      const error = refusalError(answer, 'https://v', 'signing');
      assert.is(error?.code, 'CredentialsRefused');
      assert.is(error?.message, 'https://v: signing was answered 403: permission denied; for token […]');
    },
  ));

test('each status has its meaning', () => {
  const told = (status: number) =>
    refusalError({ status, body: undefined, message: '', retryAfterMs: undefined }, 's', 'x')?.code;
  assert.equal([400, 401, 403, 404, 429, 500, 503].map(told), [
    undefined,
    'CredentialsRefused',
    'CredentialsRefused',
    'AuthorityMisconfigured',
    'AuthorityBusy',
    'AuthorityUnavailable',
    'AuthorityUnavailable',
  ]);
});

test('a server that asks for patience is not asked again before', () =>
  serving(
    (_request, response) => json(response, 429, {}, { 'retry-after': '7' }),
    async ({ url, seen }) => {
      const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
      const http = client(url, { clock });
      assert.is((await http.json(GET, signal)).retryAfterMs, 7_000);
      await clock.advance(6_500);
      const { code, retryAfterMs, message } = await failure(http.json(GET, signal));
      assert.equal(
        [code, retryAfterMs, message.includes('until 2026-01-01T00:00:07.000Z')],
        ['AuthorityBusy', 500, true],
      );
      await clock.advance(500);
      assert.is((await http.json(GET, signal)).status, 429);
      assert.is(seen.length, 2);
    },
  ));

test('a redirect is not followed, and named', () =>
  serving(
    (_request, response) => response.writeHead(307, { location: 'https://active.example:8200/v1/x?token=a' }).end(),
    async ({ url, seen }) => {
      const error = await failure(client(url).json(GET, signal));
      assert.instance(error, Redirected);
      assert.match(error.message, 'redirects (HTTP 307) to https://active.example:8200, which is not followed');
      assert.not.match(error.message, 'token');
      assert.is(seen.length, 1);
    },
  ));

test('an answer that is too large is given up', () =>
  serving(
    (_request, response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 'x')));
      };
      response.on('drain', pour);
      pour();
    },
    async ({ url }) => {
      const { code, message } = await failure(client(url).json(GET, signal));
      assert.is(code, 'AuthorityMisconfigured');
      assert.match(message, 'more than 1048576 bytes');
    },
  ));

test('a success that is no JSON is a wrong address, a refusal that is none still a refusal', () =>
  serving(
    ({ url }, response) => response.writeHead(url === '/ok' ? 200 : 502).end('<html>'),
    async ({ url }) => {
      assert.is(
        (await failure(client(url).json({ method: 'GET', path: '/ok' }, signal))).code,
        'AuthorityMisconfigured',
      );
      const answer = await client(url).json({ method: 'GET', path: '/bad' }, signal);
      assert.equal([answer.status, answer.body, answer.message], [502, undefined, '']);
    },
  ));

test('a body that trickles ends with the time that all requests have', () =>
  serving(
    (_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
    async ({ url }) => {
      const soon = AbortSignal.timeout(200);
      const { code, message } = await failure(withinLimit(soon, (all) => client(url).json(GET, all)));
      assert.is(code, 'AuthorityUnreachable');
      assert.match(message, 'no answer in time');
    },
  ));

test('a request that is aborted fails with an error that may pass', () =>
  serving(
    () => {},
    async ({ url }) => {
      const abort = new AbortController();
      const asking = client(url).json(GET, abort.signal);
      setTimeout(() => abort.abort(), 50);
      const error = await asking.catch((thrown) => thrown);
      assert.equal([error.name, error.code], ['RetryableError', 'AuthorityUnreachable']);
    },
  ));

const UNTRUSTED: Record<string, [names: string[], caBundle: string | undefined, says: string]> = {
  'of another CA of the same name': [['127.0.0.1'], stranger.certificatePem, 'CA that is not trusted'],
  'of a CA that the system does not know': [['127.0.0.1'], undefined, 'CA that is not trusted'],
  'for another name': [
    ['vault.example'],
    issuer.certificatePem,
    'is for another name (ERR_TLS_CERT_ALTNAME_INVALID); name in server what the certificate is for',
  ],
};

for (const [sentence, [names, caBundle, says]] of Object.entries(UNTRUSTED)) {
  test(`a server whose certificate is ${sentence} gets no request`, () =>
    serving(
      (_request, response) => json(response, 200, {}),
      async ({ url, seen }) => {
        const { code, message } = await failure(client(url, { caBundle }).json(GET, signal));
        assert.is(code, 'AuthorityNotTrusted');
        assert.match(message, says);
        assert.is(seen.length, 0);
      },
      names,
    ));
}

test('a server without TLS, and none at all', async () => {
  const plain = createPlainServer((socket) => {
    socket
      .resume()
      .on('error', () => {})
      .end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const close = onStop(() => new Promise((resolve) => plain.close(resolve)));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  assert.is((await failure(client(url).json(GET, signal))).code, 'AuthorityNotTrusted');
  await close();
  const { code, message } = await failure(client(url).json(GET, signal));
  assert.is(code, 'AuthorityUnreachable');
  assert.match(message, 'refused');
});

test('an unknown name', async () => {
  const { code, message } = await failure(client('https://no-such-host.invalid').json(GET, signal));
  assert.is(code, 'AuthorityUnreachable');
  assert.match(message, "its name can't be resolved");
});

test('this host is refused unless allowed, by its address and by its name', () =>
  serving(
    (_request, response) => json(response, 200, {}),
    async ({ url, seen }) => {
      for (const server of [url, url.replace('127.0.0.1', 'localhost'), url.replace('127.0.0.1', '2130706433')]) {
        const { code, message } = await failure(client(server, { rules: { loopback: false } }).json(GET, signal));
        assert.is(code, 'AuthorityMisconfigured');
        assert.match(message, 'this host itself');
      }
      assert.is(seen.length, 0);
    },
    ['127.0.0.1', 'localhost'],
  ));

test('link-local addresses are refused even where this host is allowed', async () => {
  for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]']) {
    const { code, message } = await failure(client(`https://${host}:1`).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, 'link-local');
  }
});

test('a server that is no https URL, and a bundle that is none', async () => {
  for (const server of ['http://a.example', 'https://u:p@a.example', 'https://a.example?x', 'a.example', '']) {
    const { code, message } = await failure(client(server).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, 'must be an https URL');
  }
  for (const caBundle of ['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    const { code, message } = await failure(client('https://127.0.0.1:1', { caBundle }).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, "caBundle can't be used");
  }
});

test.run();
