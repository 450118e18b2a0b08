import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../../test/cluster/certificates.ts';
import { root } from '../../../test/pki/make.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import type { AcmeBackend, StepCABackend, VaultBackend } from '../../api/generated/types.ts';
import { AuthorityError, type CertwheelError, RetryableError } from '../../errors.ts';
import { caPath } from '../../pki/ca.ts';
import { acme } from '../acme.ts';
import { awsPrivateCA } from '../aws-private-ca.ts';
import { type Backend, NO_TRUST } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { cloudflare } from '../cloudflare.ts';
import { stepCA } from '../step-ca.ts';
import { vault } from '../vault.ts';
import { concealErrors } from './conceal-errors.ts';

const issuer = createIssuer('CA of servers');
const own = issueServer(issuer, ['127.0.0.1']);
const foreign = issueServer(createIssuer('another CA'), ['127.0.0.1']);
const misnamed = issueServer(issuer, ['elsewhere.example']);
const { signal } = new AbortController();

type Tls = ReturnType<typeof issueServer>;

function https({ certificatePem: cert, keyPem: key }: Tls, status: number, body = '', headers = {}): Server {
  return createHttps({ cert, key }, (_request, response) => response.writeHead(status, headers).end(body));
}

const KUBERNETES = JSON.stringify({ kind: 'Status', status: 'Failure', message: 'pods is forbidden', code: 403 });

/** What a port of the cluster can be, but for the server that is meant. */
const PORTS: Readonly<Record<string, () => Server>> = {
  'a connection that is broken off': () => createTcp((socket) => void socket.destroy()),
  'another protocol': () => createTcp((socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')),
  'plain HTTP': () => createTcp((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'a certificate of another CA': () => https(foreign, 200, '{}'),
  'a certificate for another name': () => https(misnamed, 200, '{}'),
  'a page': () => https(own, 200, '<html>'),
  'JSON of something else': () => https(own, 200, '{"items": []}'),
  'an empty answer': () => https(own, 204),
  'a redirect': () => https(own, 302, '', { location: 'https://10.1.2.3/secret' }),
  'a redirect as of a standby': () => https(own, 307, '', { location: 'https://10.1.2.3/v1/x' }),
  'the API of Kubernetes': () => https(own, 403, KUBERNETES),
  'nothing of that name': () => https(own, 404, '404 page not found'),
  'a gateway without a server': () => https(own, 502),
  'a service that is busy': () => https(own, 503, 'later', { 'retry-after': '7' }),
  'errors in another form': () => https(own, 404, '{"errors": [{"code": "UNKNOWN"}]}'),
  'more bytes than are read': () => https(own, 200, 'x'.repeat(1_100_000)),
};

interface Logged {
  readonly code: string;
  readonly error: string;
}

const BACKENDS: Readonly<Record<string, (server: string, deps: BackendDeps) => Backend>> = {
  acme: (server, deps) => {
    const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
    const made = acme.create({ server, caBundle } as AcmeBackend, deps);
    // Its CA certificates are in the cluster.
    return { ...made, trust: async (all) => made.check(all).then(() => NO_TRUST) };
  },
  vault: (server, deps) => {
    const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
    const auth = { tokenSecretRef: { name: 'token', key: 'token' } };
    return vault.create({ server, caBundle, mount: 'pki', role: 'client', auth } as VaultBackend, deps);
  },
  cloudflare: (server, deps) => {
    const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
    const apiTokenSecretRef = { name: 'token', key: 'token' };
    const trustBundle = { inline: signing.certificate.pem, partialChain: false };
    const quota = { maxCertificates: 100, revokeAfter: '5m' };
    const spec = { server, caBundle, zone: '0'.repeat(32), apiTokenSecretRef, trustBundle, ...quota };
    const backend = cloudflare.create(spec, { ...deps, booked: () => [], owns: () => true });
    // Its trust is in the spec, and asks no server.
    return { ...backend, trust: (all) => backend.check(all).then(() => NO_TRUST) };
  },
  stepCA: (server, deps) => {
    const provisioner = { name: 'p', secretRef: { name: 'token' } };
    return stepCA.create({ server, rootFingerprints: ['ab'.repeat(32)], provisioner } as StepCABackend, deps);
  },
  awsPrivateCA: (endpoint, deps) => {
    const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
    const arn = 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1';
    return awsPrivateCA.create({ arn, endpoint, caBundle, auth: { secretRef: { name: 'key' } } }, deps);
  },
};

const signing = caPath([(await root()).certificate]);

function depsOf(clusterWide: boolean, logged: Logged[] = []): BackendDeps {
  return {
    name: 'ns/ca',
    clusterWide,
    clock: new FakeClock(new Date('2026-01-01T00:00:00Z')),
    addresses: { loopback: true },
    log: { warn: (_message: string, fields: Logged) => void logged.push(fields) },
    objects: { namespace: 'ns' },
    signing: () => ({ version: 1, path: signing, issuerRef: 'one' }),
    secret: async () => ({
      token: Buffer.from('hvs.secret'),
      'access-key-id': Buffer.from('AKIA'),
      'secret-access-key': Buffer.from('secret'),
    }),
  } as unknown as BackendDeps;
}

async function failure(asked: Promise<unknown>): Promise<CertwheelError> {
  const error = await asked.catch((thrown: unknown) => thrown);
  assert.instance(error, AuthorityError);
  return error as AuthorityError;
}

/** The error of each method that asks a server, without the port of the server. */
async function toldOf(make: () => Server, type: string, deps: BackendDeps): Promise<string[]> {
  const server = make().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const backend = BACKENDS[type]?.(`https://127.0.0.1:${port}`, deps);
  if (backend === undefined) throw new Error(`no backend ${type}`);
  try {
    const told: string[] = [];
    // Twice, since what asked for patience is not asked again.
    for (const ask of [backend.trust, backend.trust, backend.check]) {
      const { code, message } = await ask(signal).then(
        () => ({ code: 'Success', message: '' }),
        (error: CertwheelError) => error,
      );
      told.push(`${code}: ${message.replaceAll(String(port), 'PORT')}`);
    }
    return told;
  } finally {
    server.close();
  }
}

for (const type of Object.keys(BACKENDS)) {
  test(`${type}: of whatever is at a port, a CertificateAuthority says the same, and the log says which`, async () => {
    const told = new Map<string, string[]>();
    const reasons = new Set<string>();
    for (const [what, make] of Object.entries(PORTS)) {
      const logged: Logged[] = [];
      for (const each of await toldOf(make, type, depsOf(false, logged)))
        told.set(each, [...(told.get(each) ?? []), what]);
      assert.ok(logged.length > 0, what);
      for (const { error } of logged) reasons.add(error.replaceAll(/:\d{4,5}/g, ''));
    }
    assert.is(told.size, 1, JSON.stringify([...told], undefined, 1));
    const [said = ''] = told.keys();
    assert.match(
      said,
      /^AuthorityUnreachable: the server at 127\.0\.0\.1:PORT can't be used as (a Vault|a step-ca|an AWS Private CA|Cloudflare's API|an ACME server): /,
    );
    assert.match(said, "the controller's log says why");
    // The control: a reader of the log can tell the same servers apart.
    assert.ok(reasons.size > 5, JSON.stringify([...reasons], undefined, 1));
  });

  test(`${type}: an error does not show whether anything listens at the port`, async () => {
    const closed = createTcp().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const backend = BACKENDS[type]?.(`https://127.0.0.1:${port}`, depsOf(false));
    const { code, message } = await failure(backend?.trust(signal) ?? Promise.resolve());
    const [said] = await toldOf(PORTS['a page'] as () => Server, type, depsOf(false));
    assert.is(`${code}: ${message.replaceAll(String(port), 'PORT')}`, said);
  });

  test(`${type}: a ClusterCertificateAuthority keeps the details`, async () => {
    const told = new Set<string>();
    for (const make of Object.values(PORTS)) for (const each of await toldOf(make, type, depsOf(true))) told.add(each);
    assert.ok(told.size > 5, JSON.stringify([...told], undefined, 1));
    for (const each of told) assert.not.match(each, "the controller's log");
  });

  test(`${type}: an error shows what is wrong with the spec or with a name`, async () => {
    for (const [server, says] of [
      ['https://169.254.169.254', 'link-local'],
      ['https://ca.invalid:9000', "its name can't be resolved"],
    ] as const) {
      const backend = BACKENDS[type]?.(server, depsOf(false));
      assert.match((await failure(backend?.trust(signal) ?? Promise.resolve())).message, says);
    }
  });
}

test('an error shows why a Vault refuses', async () => {
  for (const [status, errors, code, says] of [
    [503, ['Vault is sealed'], 'AuthorityUnavailable', 'is sealed'],
    [429, ['request path "x": rate limit quota exceeded'], 'AuthorityBusy', 'rate limit quota'],
    [500, ['1 error occurred'], 'AuthorityUnavailable', '1 error occurred'],
  ] as const) {
    const make = () => https(own, status, JSON.stringify({ errors }));
    const [told = ''] = await toldOf(make, 'vault', depsOf(false));
    assert.match(told, new RegExp(`^${code}: .*${says}`));
  }
});

function failing(errors: readonly CertwheelError[], clock: FakeClock, logged: Logged[]): Backend {
  const left = [...errors];
  const fail = async () => Promise.reject(left.shift());
  const deps = { ...depsOf(false, logged), clock };
  return concealErrors({ check: fail, trust: fail, issue: fail }, 'https://ca.example/v', 'a Vault', deps);
}

test('the same reason is logged once in ten minutes, and another one at once', async () => {
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const logged: Logged[] = [];
  const because = (why: string) => new AuthorityError('AuthorityNotTrusted', why, { unproven: true });
  const backend = failing(['a', 'a', 'b', 'b', 'b'].map(because), clock, logged);
  const wait = async (ms: number) => {
    await clock.advance(ms);
    return failure(backend.check(signal));
  };
  for (const ms of [0, 1_000, 1_000, 599_999, 1]) await wait(ms);
  assert.equal(
    logged.map(({ error }) => error),
    ['a', 'b', 'b'],
  );
});

test('the usual port is named, and what may pass by itself stays so', async () => {
  const passing = new RetryableError('AuthorityUnreachable', 'given up', {
    unproven: true,
    cause: new Error('inside'),
  });
  const backend = failing([passing], new FakeClock(new Date('2026-01-01T00:00:00Z')), []);
  const error = await backend.check(signal).catch((thrown: unknown) => thrown);
  assert.instance(error, RetryableError);
  assert.match((error as Error).message, 'the server at ca.example:443 ');
  assert.is((error as Error).cause, undefined);
});

test.run();
