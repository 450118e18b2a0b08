// A fake server: namespaces (Vault Enterprise, OpenBao) can't be had here, nor can most of these answers at will.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../../test/cluster/certificates.ts';
import { leaf, root } from '../../../test/pki/make.ts';
import { issueRequest } from '../../../test/unit/issue-request.ts';
import type { VaultBackend } from '../../api/generated/types.ts';
import { systemClock } from '../../clock.ts';
import { ApiError, AuthorityError, DeniedError } from '../../errors.ts';
import { caPath } from '../../pki/ca.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { vault } from '../vault.ts';

const issuer = createIssuer('CA of the server');
const { signal } = new AbortController();
const ca = await root({ notAfter: new Date(systemClock.now().getTime() + 86_400_000) });

async function asking(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (backend: Backend, seen: readonly IncomingMessage[]) => Promise<void>,
  spec: Partial<VaultBackend> = {},
  tokenStatus = 0,
  warned: (fields: unknown) => void = () => {},
): Promise<void> {
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const seen: IncomingMessage[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const deps = {
    signing: () => ({ version: 1, path: caPath([ca.certificate]), issuerRef: 'clients-2026' }),
    clock: systemClock,
    clusterWide: true,
    addresses: { loopback: true },
    log: { warn: (_message: string, fields: unknown) => warned(fields) },
    objects: { namespace: 'ns' },
    secret: async () => ({ token: Buffer.from('hvs.secret') }),
    serviceAccountToken: async () => Promise.reject(new ApiError(tokenStatus, 'Reason', 'no')),
  } as unknown as BackendDeps;
  const full = {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caBundle: Buffer.from(issuer.certificatePem).toString('base64'),
    mount: 'team/pki',
    role: 'client',
    auth: { tokenSecretRef: { name: 'token', key: 'token' } },
    ...spec,
  };
  try {
    await use(vault.create(full, deps), seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers the lookup of the token, and `status` with `errors` to requests that need a token. */
function refusing(status: number, errors: readonly string[]) {
  return ({ url }: IncomingMessage, response: ServerResponse) =>
    url === '/v1/auth/token/lookup-self'
      ? json(response, 200, { data: { ttl: 3600, renewable: true } })
      : json(response, status, { errors });
}

async function failure(asked: Promise<unknown>): Promise<AuthorityError> {
  const error = await asked.catch((thrown: unknown) => thrown);
  assert.instance(error, AuthorityError);
  return error as AuthorityError;
}

test('the namespace goes with every request, a login too, and the token with those that need one', () =>
  asking(
    refusing(400, ['"csr" is empty']),
    async (backend, seen) => {
      await backend.check(signal);
      assert.equal(
        seen.map(({ method, url, headers }) => [method, url, headers['x-vault-namespace'], headers['x-vault-token']]),
        [
          ['GET', '/v1/auth/token/lookup-self', 'team-a/pki', 'hvs.secret'],
          ['POST', '/v1/team/pki/issuer/clients-2026/sign/client', 'team-a/pki', 'hvs.secret'],
        ],
      );
      assert.is(seen[0]?.headers['x-vault-request'], 'true');
    },
    { namespace: 'team-a/pki' },
  ));

test('without a namespace there is no such header, which a Vault without them would refuse', () =>
  asking(refusing(400, ['"csr" is empty']), async (backend, seen) => {
    await backend.check(signal);
    assert.is(seen[0]?.headers['x-vault-namespace'], undefined);
  }));

test('each request names the issuer that signs, whatever the spec names', () =>
  asking(
    refusing(400, ['"csr" is empty']),
    async (backend, seen) => {
      await backend.check(signal);
      assert.is(seen.at(-1)?.url, '/v1/team/pki/issuer/clients-2026/sign/client');
    },
    { issuerRef: 'clients-2027' },
  ));

test('a standby that names the active node is reported as one, and the token goes nowhere else', () =>
  asking(
    (_request, response) => response.writeHead(307, { location: 'https://active.example:8200/v1/x' }).end(),
    async (backend, seen) => {
      const { code, message } = await failure(backend.check(signal));
      assert.is(code, 'AuthorityUnavailable');
      assert.match(message, 'is a standby and names https://active.example:8200, which is not followed');
      assert.is(seen.length, 1);
    },
  ));

const NO_TOKEN: [status: number, code: string, says: string][] = [
  [403, 'BackendForbidden', 'Certwheel may not make a token of ServiceAccount ns/login: give its account create'],
  [404, 'CredentialsNotFound', 'there is no ServiceAccount login in namespace ns'],
];

for (const [status, code, says] of NO_TOKEN) {
  test(`a token of a ServiceAccount that can't be had (${status}) is ${code}, before anything is asked`, () =>
    asking(
      refusing(500, []),
      async (backend, seen) => {
        const error = await failure(backend.check(signal));
        assert.is(error.code, code);
        assert.match(error.message, says);
        assert.is(seen.length, 0);
      },
      {
        auth: {
          kubernetes: { path: 'kubernetes', role: 'r', serviceAccountName: 'login', audience: 'vault' },
        },
      },
      status,
    ));
}

const NO_TOKENS: [answered: unknown, code: string, says: string][] = [
  [undefined, 'AuthorityMisconfigured', 'was answered without a token; is MFA asked for?'],
  ['', 'AuthorityMisconfigured', 'was answered without a token'],
  [7, 'AuthorityMisconfigured', 'was answered without a token'],
  ['hvs.a\r\nx-vault-namespace: b', 'InvalidAnswer', "something that is no token of Vault's"],
  ['hvs.ä', 'InvalidAnswer', "something that is no token of Vault's"],
  [`hvs.${'a'.repeat(10_000)}`, 'InvalidAnswer', "something that is no token of Vault's"],
];
for (const [token, code, says] of NO_TOKENS) {
  test(`a login that is answered with ${String(JSON.stringify(token)).slice(0, 30)} for a token is ${code}`, () =>
    asking(
      (_request, response) => json(response, 200, { auth: { client_token: token, lease_duration: 60 } }),
      async (backend, seen) => {
        const error = await failure(backend.check(signal));
        assert.is(error.code, code);
        assert.match(error.message, says);
        assert.match(error.message, 'the login by the JWT in key token of Secret ns/token with the role r at auth/jwt');
        assert.is(seen.length, 1);
      },
      { auth: { jwt: { path: 'jwt', role: 'r', secretRef: { name: 'token', key: 'token' } } } },
    ));
}

test('no mount leads out of itself, whatever stands before Vault', async () => {
  for (const mount of ['pki/../sys', '..', './pki', 'a/./b'])
    await asking(
      refusing(400, ['"csr" is empty']),
      async (backend, seen) => {
        const error = await failure(backend.check(signal));
        assert.is(error.code, 'AuthorityMisconfigured');
        assert.match(error.message, 'a part of it is . or ..');
        assert.is(seen.length, 0);
      },
      { mount },
    );
});

test('what Vault calls its issuers stays one part of a path', () =>
  asking(
    ({ url }, response) =>
      url?.endsWith('/issuers?list=true')
        ? json(response, 200, { data: { keys: ['../../sys/seal', 'a?b#c', '%2e%2e', 7, null] } })
        : json(response, 404, { errors: [] }),
    async (backend, seen) => {
      assert.is((await failure(backend.trust(signal))).code, 'AuthorityMisconfigured');
      const paths = seen.map(({ url = '' }) => decodeURIComponent(url.split('/issuer/')[1] ?? '')).sort();
      assert.equal(paths, ['', '%2e%2e/json', '../../sys/seal/json', 'a?b#c/json', 'default/json']);
      assert.ok(seen.every(({ url }) => url?.split('/').length === (url?.includes('/issuer/') ? 7 : 5)));
    },
  ));

test('warnings are logged without the token that they quote, and not without end', async () => {
  const { certificate } = await leaf(ca);
  const logged: unknown[] = [];
  const warnings = Array.from({ length: 5_000 }, () => 'the token hvs.secret is short');
  await asking(
    ({ url }, response) =>
      url?.endsWith('/sign/client')
        ? json(response, 200, { data: { certificate: certificate.pem, issuing_ca: ca.certificate.pem }, warnings })
        : json(response, 200, { data: { ttl: 3600, renewable: true } }),
    async (backend) => {
      await backend.issue(await issueRequest(), signal);
    },
    {},
    0,
    (fields) => void logged.push(fields),
  );
  assert.is(logged.length, 1);
  assert.not.match(JSON.stringify(logged), 'hvs.secret');
  assert.ok(JSON.stringify(logged).length < 10_000);
});

const TOLD: [status: number, errors: string[], code: string, says: string][] = [
  [503, ['Vault is sealed'], 'AuthorityUnavailable', 'is sealed; unseal it'],
  [500, ['internal error'], 'AuthorityUnavailable', 'signing with the role client of team/pki was answered 500'],
  [412, ['required index state not present'], 'AuthorityUnavailable', 'lags behind'],
  [403, ['1 error occurred: permission denied'], 'CredentialsRefused', 'permission denied'],
  [404, ['no handler for route "team/pki/sign/client"'], 'AuthorityMisconfigured', 'no handler for route'],
  [400, ['unknown role: client'], 'AuthorityMisconfigured', 'the mount team/pki has no role client'],
  [
    500,
    ['error fetching CA certificate: no default issuer'],
    'AuthorityMisconfigured',
    "can't sign with the issuer clients-2026",
  ],
  [418, ['teapot'], 'AuthorityMisconfigured', 'was answered 418: teapot'],
];

for (const [status, errors, code, says] of TOLD) {
  test(`${status} ${errors[0]} is ${code}`, () =>
    asking(refusing(status, errors), async (backend) => {
      const error = await failure(backend.check(signal));
      assert.is(error.code, code);
      assert.match(error.message, says);
      assert.not.match(error.message, 'hvs.secret');
    }));
}

const FORBIDDEN = [
  'x509: a root or intermediate certificate is not authorized to sign for this name: URI "spiffe://b/c" is not permitted by any constraint',
  "x509: issuer has name constraints but leaf doesn't have a SAN extension",
  'x509: issuer has name constraints but leaf contains unknown or unconstrained name: ',
];

for (const words of FORBIDDEN) {
  test(`a name that the name constraints of the issuer forbid is refused to its certificate alone: ${words}`, () =>
    asking(refusing(500, [`1 error occurred:\n\t* ${words}\n\n`]), async (backend) => {
      const request = await issueRequest();
      const error = await backend.issue(request, signal).catch((thrown: unknown) => thrown);
      assert.instance(error, DeniedError);
      assert.is((error as DeniedError).code, 'RequestDenied');
      assert.match((error as DeniedError).message, words.trim());
    }));
}

test('an answer of 500 that is about no name stops the authority', () =>
  asking(
    refusing(500, ['1 error occurred:\n\t* x509: certificate signed by unknown authority\n\n']),
    async (backend) => {
      const error = await failure(backend.issue(await issueRequest(), signal));
      assert.is(error.code, 'AuthorityUnavailable');
    },
  ));

const NOT_FOUND: Record<string, [body: unknown, says: string]> = {
  'a mount without issuers': [{ errors: [] }, 'the mount team/pki has no issuer'],
  'another kind of server': [
    { status: 404, message: 'not found' },
    'listing the issuers of team/pki was answered 404: not found',
  ],
  'a page of a proxy': [undefined, 'listing the issuers of team/pki was answered 404'],
};

for (const [sentence, [body, says]] of Object.entries(NOT_FOUND)) {
  test(`a 404 of ${sentence} is reported as such`, () =>
    asking(
      (_request, response) => (body === undefined ? response.writeHead(404).end('<html>') : json(response, 404, body)),
      async (backend) => {
        const error = await failure(backend.trust(signal));
        assert.is(error.code, 'AuthorityMisconfigured');
        assert.match(error.message, says);
      },
    ));
}

test.run();
