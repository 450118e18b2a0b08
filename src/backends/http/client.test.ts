import { buffer as bytesOf, json as jsonOf } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop, stopAll } from '../../../test/teardown.ts';
import { client, failure, GET, json, serving, signal } from '../../../test/unit/authority-server.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { Redirected, withinLimit } from './client.ts';
import { refusalError } from './errors.ts';

test.after(stopAll);

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

test('bytes and headers go out as they are, and come in as they are', () =>
  serving(
    async (request, response) => {
      response.setHeader('link', ['<a>;rel="up"', '<b>;rel="alternate"']);
      response.setHeader('replay-nonce', 'n1');
      response.writeHead(201, { 'content-type': 'application/octet-stream' });
      response.end(Buffer.concat([Buffer.from([0, 255]), await bytesOf(request)]));
    },
    async ({ url, seen }) => {
      const answer = await client(`${url}/behind`).exchange(
        { method: 'POST', path: '/x', headers: { 'content-type': 'application/jose+json' }, body: '{"a" :1}' },
        signal,
      );
      assert.is(answer.status, 201);
      assert.is(answer.headers['replay-nonce'], 'n1');
      assert.is(answer.headers.link, '<a>;rel="up"');
      assert.equal(answer.all('link'), ['<a>;rel="up"', '<b>;rel="alternate"']);
      assert.equal(answer.all('location'), []);
      assert.equal(answer.bytes, Buffer.concat([Buffer.from([0, 255]), Buffer.from('{"a" :1}')]));
      assert.equal([seen[0]?.url, seen[0]?.headers['content-type']], ['/behind/x', 'application/jose+json']);
    },
  ));

test('a server that asks for patience gets it from every kind of request', () =>
  serving(
    (_request, response) => json(response, 503, {}, { 'retry-after': '7' }),
    async ({ url, seen }) => {
      const http = client(url);
      assert.is((await http.exchange(GET, signal)).retryAfterMs, 7_000);
      assert.is((await failure(http.exchange(GET, signal))).code, 'AuthorityBusy');
      assert.is((await failure(http.json(GET, signal))).code, 'AuthorityBusy');
      assert.is(seen.length, 1);
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
      onStop(() => clearInterval(timer));
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

test.run();
