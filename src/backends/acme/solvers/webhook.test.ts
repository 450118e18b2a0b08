import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { depsOf } from '../../../../test/e2e/backends/acme-dns-world.ts';
import { issuer, json, serving, signal, stranger } from '../../../../test/unit/authority-server.ts';
import type { WebhookSolver } from '../../../api/generated/types.ts';
import { CertwheelError } from '../../../errors.ts';
import { solversOf } from './solvers-of.ts';

const TOKEN = 'word-of-the-webhook';
const CHALLENGE = { domain: 'www.example.com', token: 't', keyAuthorization: 't.thumb', thumbprint: 'thumb' };
/** SHA-256 of `t.thumb` in base64url, by OpenSSL: printf t.thumb | openssl dgst -sha256 -binary | basenc --base64url. */
const VALUE = 'l0oi6EDDpV2B4XzDiOwjYG5PK77CJmTg0dnBoGodsGg';

const inBase64 = (pem: string) => Buffer.from(pem).toString('base64');

function webhook(url: string, change: Partial<WebhookSolver> = {}, { clusterWide = true, loopback = true } = {}) {
  const deps = depsOf({ clusterWide, loopback, secrets: { hook: TOKEN } });
  const spec = { url, caBundle: inBase64(issuer.certificatePem), secretRef: { name: 'hook', key: 'tsig' }, ...change };
  const solver = solversOf([{ dns01: { webhook: spec } }], deps)('www.example.com');
  assert.ok(solver);
  return solver;
}

async function refusal(work: Promise<void>): Promise<CertwheelError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(thrown, CertwheelError);
  assert.not.match((thrown as Error).message, TOKEN);
  return thrown as CertwheelError;
}

test('a webhook is told what to add and what to remove', async () => {
  const bodies: unknown[] = [];
  await serving(
    async (request, response) => {
      bodies.push(JSON.parse(await text(request)));
      // Not every server answers in JSON.
      response.writeHead(200, { 'content-type': 'text/plain' }).end('OK');
    },
    async ({ url, seen }) => {
      const solver = webhook(`${url}/acme/`);
      assert.is(solver.type, 'dns-01');
      await solver.present(CHALLENGE, signal);
      await solver.cleanUp({ ...CHALLENGE, domain: '*.Example.com' }, signal);
      assert.equal(bodies, [
        { action: 'present', domain: 'www.example.com', name: '_acme-challenge.www.example.com', value: VALUE },
        { action: 'cleanup', domain: 'example.com', name: '_acme-challenge.example.com', value: VALUE },
      ]);
      for (const { method, url: path, headers } of seen) {
        assert.is(method, 'POST');
        assert.match(path ?? '', /^\/acme\/?$/);
        assert.is(headers.authorization, `Bearer ${TOKEN}`);
        assert.is(headers['content-type'], 'application/json');
      }
    },
  );
});

test('a webhook without a path and without a token is called too', () =>
  serving(
    (_request, response) => response.writeHead(204).end(),
    async ({ url, seen }) => {
      const solver = webhook(url, { secretRef: undefined } as unknown as Partial<WebhookSolver>);
      await solver.present(CHALLENGE, signal);
      assert.is(seen[0]?.url, '/');
      assert.is(seen[0]?.headers.authorization, undefined);
    },
  ));

const answering = (status: number, body: unknown) => (_request: IncomingMessage, response: ServerResponse) =>
  json(response, status, body);

for (const [status, body, code, message] of [
  [
    403,
    { message: `no ${TOKEN}` },
    'CredentialsRefused',
    /present of _acme-challenge\.www\.example\.com was answered 403: no \[…\]/,
  ],
  [404, {}, 'AuthorityMisconfigured', /was answered 404/],
  [409, { message: 'zone is locked' }, 'ChallengeFailed', /was answered 409: zone is locked/],
  [429, {}, 'AuthorityBusy', /was answered 429/],
  [500, { error: 'provider is down' }, 'AuthorityUnavailable', /was answered 500: provider is down/],
  [301, {}, 'AuthorityMisconfigured', /redirects \(HTTP 301\)/],
] as const) {
  test(`status ${status} is a failure of the challenge that is tried again`, () =>
    serving(answering(status, body), async ({ url }) => {
      const error = await refusal(webhook(url).present(CHALLENGE, signal));
      assert.is(error.name, 'RetryableError');
      assert.is(error.code, code);
      assert.match(error.message, message);
    }));
}

test('a webhook whose certificate is of another CA gets no token', () =>
  serving(answering(200, {}), async ({ url, seen }) => {
    const solver = webhook(url, { caBundle: inBase64(stranger.certificatePem) });
    const error = await refusal(solver.present(CHALLENGE, signal));
    assert.is(error.code, 'AuthorityNotTrusted');
    assert.match(error.message, /the webhook's caBundle must hold the CA of this server/);
    assert.equal(seen, []);
  }));

test('the author of a CertificateAuthority learns nothing about a server that has not proven itself', () =>
  serving(answering(200, {}), async ({ url }) => {
    const solver = webhook(url, { caBundle: inBase64(stranger.certificatePem) }, { clusterWide: false });
    const error = await refusal(solver.present(CHALLENGE, signal));
    assert.is(error.code, 'AuthorityUnreachable');
    assert.match(
      error.message,
      /can't be used as a webhook: it can't be reached, is not trusted, or does not answer as one/,
    );
  }));

for (const status of [400, 403, 404, 429, 500])
  test(`the author of a CertificateAuthority reads nothing of what another service of the cluster answers with ${status}`, () =>
    serving(answering(status, { message: 'pods is forbidden' }), async ({ url }) => {
      const error = await refusal(webhook(url, {}, { clusterWide: false }).present(CHALLENGE, signal));
      assert.is(error.code, 'AuthorityUnreachable');
      assert.not.match(error.message, new RegExp(`pods|${status}:`));
    }));

test('a webhook on this host is refused', () =>
  serving(answering(200, {}), async ({ url, seen }) => {
    const error = await refusal(webhook(url, {}, { loopback: false }).present(CHALLENGE, signal));
    assert.match(error.message, /is this host itself/);
    assert.equal(seen, []);
  }));

test('a Secret without the token is named', () =>
  serving(answering(200, {}), async ({ url }) => {
    const error = await refusal(webhook(url, { secretRef: { name: 'gone', key: 'token' } }).present(CHALLENGE, signal));
    assert.is(error.code, 'CredentialsNotFound');
    assert.match(error.message, /there is no Secret gone in namespace shop/);
  }));

test.run();
