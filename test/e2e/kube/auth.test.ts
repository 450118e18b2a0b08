import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from 'undici';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import type { ApiError } from '../../../src/errors.ts';
import { KubeconfigConnection } from '../../../src/kube/auth.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ControlPlane, shareControlPlane } from '../../cluster/control-plane.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { applyCrds } from '../support/world.ts';
import { type Connected, connect, logger, until } from './fixture.ts';
import { OwnClock } from './own-clock.ts';

const test = suite('auth');

const SERVICE_ACCOUNTS = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
} as const;
const WHO_AM_I = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
} as const;

let cluster: ControlPlane;
let direct: Connected;
let folder: string;
let clock: OwnClock;

const started = lazily(() => shareControlPlane([], applyCrds));
test.before.each(async () => {
  cluster = await started.get();
  direct ??= connect(cluster.kubeconfigPath);
});
test.after(stopAll);

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'certwheel-auth-'));
  clock = new OwnClock();
});

test.after.each(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

function writeConfig(user: object, clusterChanges: object = {}): string {
  const config = JSON.parse(readFileSync(cluster.kubeconfigPath, 'utf8'));
  config.users[0].user = user;
  Object.assign(config.clusters[0].cluster, clusterChanges);
  writeFileSync(path('config'), JSON.stringify(config));
  return path('config');
}

async function whoAmI({ client }: Connected): Promise<string> {
  const review = await client.create<{ status: { userInfo: { username: string } } }>(WHO_AM_I, {
    metadata: { name: '' },
  });
  return review.status.userInfo.username;
}

async function tokenOf(account: string): Promise<string> {
  await direct.client.apply(SERVICE_ACCOUNTS, { metadata: { namespace: 'default', name: account } });
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { namespace: 'default', name: account },
    spec: {},
  };
  const answer = await direct.client.create<{ status: { token: string } }>(SERVICE_ACCOUNTS, request, {
    subresource: 'token',
  });
  return answer.status.token;
}

async function certificateOf(user: string): Promise<void> {
  const config = JSON.parse(readFileSync(await cluster.kubeconfigFor(user), 'utf8'));
  const { 'client-certificate-data': certificate, 'client-key-data': key } = config.users[0].user;
  writeFileSync(path('tls.crt'), Buffer.from(certificate, 'base64'));
  writeFileSync(path('tls.key'), Buffer.from(key, 'base64'));
}

function plugin(): object {
  writeFileSync(
    path('plugin'),
    `#!/bin/sh\necho run >> ${path('runs')}\nprintf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${path('token')})"\n`,
  );
  chmodSync(path('plugin'), 0o700);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('plugin'), interactiveMode: 'Never' } };
}

/** A client of its own, together with where its connections come from. */
function connectOpenly(kubeconfig: string) {
  const connections = new KubeconfigConnection({ kubeconfig, clock, logger });
  const client = new KubeClient({ connections, clock });
  onStop(() => client.close());
  const agent = async () => (await connections.get()).dispatcher as Agent;
  return { client, connections, agent, observations: [] };
}

test('a client certificate that is replaced on disk is used within ten seconds, and the old connections end', async () => {
  await certificateOf('first');
  const connected = connectOpenly(
    writeConfig({ 'client-certificate': path('tls.crt'), 'client-key': path('tls.key') }),
  );
  assert.is(await whoAmI(connected), 'first');
  const old = await connected.agent();
  await certificateOf('second');
  assert.is(await whoAmI(connected), 'first');
  clock.aheadMs += 10_000;
  await until('the new one is used', async () => (await whoAmI(connected)) === 'second');
  assert.not(old === (await connected.agent()));
  await until('the old connections have ended', () => old.destroyed);
  await connected.client.close();
});

test('a token that is refused is read again at once, and the request is repeated', async () => {
  const connected = connect(writeConfig({ token: 'not-a-token' }), clock);
  connected.observations.length = 0;
  writeConfig({ token: 'not-a-token' });
  const good = await tokenOf('reader');
  const first = await whoAmI(connected).catch((error: ApiError) => error);
  assert.is((first as ApiError).status, 401);
  writeConfig({ token: good });
  clock.aheadMs += 6_000;
  assert.is(await whoAmI(connected), 'system:serviceaccount:default:reader');
  await connected.client.close();
});

test('many requests that are refused at once wait for the same new token', async () => {
  const connected = connectOpenly(writeConfig({ token: 'not-a-token' }));
  await connected.connections.get();
  writeConfig({ token: await tokenOf('many') });
  const names = await Promise.all(Array.from({ length: 20 }, () => whoAmI(connected)));
  assert.equal([...new Set(names)], ['system:serviceaccount:default:many']);
  await connected.client.close();
});

test('an exec plugin runs once, and again when its token is refused', async () => {
  writeFileSync(path('token'), await tokenOf('plugged'));
  const connected = connect(writeConfig(plugin()), clock);
  for (let index = 0; index < 5; index++) assert.is(await whoAmI(connected), 'system:serviceaccount:default:plugged');
  assert.is(readFileSync(path('runs'), 'utf8').split('\n').length - 1, 1);
  await direct.client.delete(SERVICE_ACCOUNTS, 'default', 'plugged');
  writeFileSync(path('token'), await tokenOf('other'));
  clock.aheadMs += 6_000;
  await until(
    'the new token is used',
    async () => (await whoAmI(connected).catch(() => '')) === 'system:serviceaccount:default:other',
  );
  await connected.client.close();
});

test('an exec plugin that fails is named, and its token is not', async () => {
  writeFileSync(path('plugin'), '#!/bin/sh\necho "log in first" >&2\nexit 1\n');
  chmodSync(path('plugin'), 0o700);
  const connected = connect(
    writeConfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('plugin') } }),
    clock,
  );
  const error = await connected.client.version().catch((thrown: ApiError) => thrown);
  assert.match((error as ApiError).message, /kubeconfig .*config: its credentials can't be read: log in first; check/);
});

test('a server whose certificate is not of the CA is refused, unless the kubeconfig says to skip that', async () => {
  const { 'client-certificate-data': certificate, 'client-key-data': key } = JSON.parse(
    readFileSync(cluster.kubeconfigPath, 'utf8'),
  ).users[0].user;
  const user = { 'client-certificate-data': certificate, 'client-key-data': key };
  const untrusting = connect(writeConfig(user, { 'certificate-authority-data': undefined }), clock);
  const error = await untrusting.client.version().catch((thrown: ApiError) => thrown);
  assert.is((error as ApiError).status, 0);
  assert.match((error as ApiError).message, /certificate/);
  const careless = connect(
    writeConfig(user, { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true }),
    clock,
  );
  assert.match(await careless.client.version(), /^v1/);
  await untrusting.client.close();
  await careless.client.close();
});

test('thousands of requests over TLS share one pool of bounded size', async () => {
  const connected = connectOpenly(cluster.kubeconfigPath);
  const agent = await connected.agent();
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 100 }, () => connected.client.get(SECRETS, 'default', 'none')));
    clock.aheadMs += 11_000;
  }
  assert.is(await connected.agent(), agent);
  const [pool] = Object.values(agent.stats);
  const open = Number(pool?.connected);
  assert.ok(open > 0 && open <= 32, `${open} connections`);
  await connected.client.close();
});

test.run();
