import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVIEW_PERMISSIONS } from '../../../src/api/permissions.ts';
import { createIssuer, issueServer, type Pair } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { type ControllerProcess, portOf, startController } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { commandsOf } from '../support/page.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { clusterUser, ensureNamespace } from './support/access.ts';
import { requestsOf, shortly } from './support/audit.ts';
import { parseMetrics } from './support/metrics.ts';

// Metrics over TLS and with authentication, under exactly the permissions of the chart.

const shared = oneWorld({ own: true });
test.after(shared.stop);

const USER = 'guarded';
const MONITORING = 'monitoring';
const issuer = createIssuer('CA of metrics');

const scene = lazily(async () => {
  const world = await shared.get();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-metrics-tls-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const put = ({ certificatePem, keyPem }: Pair) => {
    writeFileSync(files.cert, certificatePem);
    writeFileSync(files.key, keyPem);
  };
  put(issueServer(issuer, ['127.0.0.1']));
  const kubeconfig = await clusterUser(world, USER, REVIEW_PERMISSIONS);
  const tls = [`--metrics-tls-cert-file=${files.cert}`, `--metrics-tls-key-file=${files.key}`];
  const args = ['--metrics-authentication', ...tls];
  const controller = await startController(kubeconfig, args);
  await ensureNamespace(world, MONITORING);
  const tokens = { prometheus: await tokenOf(world, 'prometheus'), other: await tokenOf(world, 'other') };
  await allow(world);
  return { world, controller, kubeconfig, args, files, put, tokens };
});

async function tokenOf({ cluster }: World, account: string): Promise<string> {
  await cluster.kubectl(['create', 'serviceaccount', account, '--namespace', MONITORING]);
  const { stdout } = await cluster.kubectl(['create', 'token', account, '--namespace', MONITORING]);
  return stdout.trim();
}

/** Grants the account of Prometheus the right to read metrics, by the commands of the page. */
async function allow({ cluster }: World): Promise<void> {
  const commands = commandsOf('docs/monitoring.md', 'TLS and authentication');
  for (const command of commands.filter((each) => each.startsWith('kubectl ')))
    await cluster.kubectl(command.split(' ').slice(1));
  const as = `system:serviceaccount:${MONITORING}:prometheus`;
  await eventually('the authorizer knows of it', async () => {
    const args = ['auth', 'can-i', 'get', '/metrics', '--as', as];
    return (await cluster.kubectl(args, { allowFailure: true })).code === 0;
  });
}

async function scrape({ logs }: ControllerProcess, token?: string) {
  const question = request({
    host: '127.0.0.1',
    port: Number(portOf(logs, 'metricsPort')),
    path: '/metrics',
    ca: issuer.certificatePem,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    agent: false,
  });
  question.end();
  const [answer] = await once(question, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** How many reviews the controller has created, by the API server's audit log. */
async function reviews(world: World): Promise<Record<string, number>> {
  const asked = (await requestsOf(world, USER)).map(shortly);
  const count = (what: string) => asked.filter((each) => each === `create ${what}`).length;
  return { tokens: count('tokenreviews'), accesses: count('subjectaccessreviews') };
}

test('a ServiceAccount with the right is served, and reviewed once for five scrapes', async () => {
  const { world, controller, tokens } = await scene.get();
  for (let round = 0; round < 5; round += 1) {
    const { status, body } = await scrape(controller, tokens.prometheus);
    assert.is(status, 200, body);
    assert.ok(parseMetrics(body).value('certwheel_leader') !== undefined);
  }
  assert.equal(await reviews(world), { tokens: 1, accesses: 1 });
});

test('a token without the right gets 403, no token and a forged one 401', async () => {
  const { controller, tokens } = await scene.get();
  const forbidden = await scrape(controller, tokens.other);
  assert.is(forbidden.status, 403);
  assert.match(forbidden.body, /may not get the non-resource URL \/metrics/);
  const forged = `${tokens.prometheus.slice(0, -8)}AAAAAAAA`;
  for (const token of [undefined, 'anything', forged]) {
    const { status, headers, body } = await scrape(controller, token);
    assert.is(status, 401, token);
    assert.is(headers['www-authenticate'], 'Bearer');
    assert.match(body, /token/);
    assert.not.match(body, /certwheel_/);
  }
});

test('a standby serves too', async () => {
  const { kubeconfig, args, tokens } = await scene.get();
  const replicas = [1, 2].map(() => startController(kubeconfig, [...args, '--leader-elect']));
  const leading = async () => {
    const scrapes = await Promise.all(replicas.map(async (replica) => scrape(await replica, tokens.prometheus)));
    return scrapes.map(({ body }) => parseMetrics(body).value('certwheel_leader')).sort();
  };
  await eventually('both are served, of which one leads', async () => `${await leading()}` === '0,1');
  await Promise.all(replicas.map(async (replica) => (await replica).stop()));
});

test('TLS 1.1 and plain HTTP are refused', async () => {
  const { controller } = await scene.get();
  const port = Number(portOf(controller.logs, 'metricsPort'));
  const shake = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
    // OpenSSL itself would refuse to offer the old version.
    const security = { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: version, maxVersion: version } as const;
    const socket = connect({ host: '127.0.0.1', port, ca: issuer.certificatePem, ...security });
    onStop(() => socket.destroy());
    return once(socket, 'secureConnect').then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  };
  assert.is(await shake('TLSv1.2'), 'accepted');
  assert.is(await shake('TLSv1.3'), 'accepted');
  assert.match(await shake('TLSv1.1'), /alert protocol version/);
  const plain = await fetch(`http://127.0.0.1:${port}/metrics`).catch((error) => error);
  assert.instance(plain, Error);
});

test('a renewed certificate is presented without a restart, a broken one is not', async () => {
  const { controller, files, put } = await scene.get();
  const { logs } = controller;
  const presented = async () => {
    const port = Number(portOf(logs, 'metricsPort'));
    const socket = connect({ host: '127.0.0.1', port, ca: issuer.certificatePem });
    onStop(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.subjectAltName;
  };
  assert.is(await presented(), 'IP Address:127.0.0.1');
  writeFileSync(files.cert, 'broken');
  const said = await eventually('the log says so', () =>
    logs.find(({ message }) => message === 'the TLS certificate of metrics was not replaced'),
  );
  assert.match(String(said.error), files.cert);
  assert.is(await presented(), 'IP Address:127.0.0.1');
  put(issueServer(issuer, ['127.0.0.1', 'metrics.example.com']));
  await eventually('the new one is presented', async () => (await presented())?.includes('metrics.example.com'));
});

test('while the API server is down, a token without a cached review gets 503', async () => {
  const { world, controller, tokens } = await scene.get();
  const fresh = await tokenOf(world, 'newcomer');
  await world.cluster.stopApiServer();
  const { status, headers, body } = await scrape(controller, fresh);
  assert.is(status, 503, body);
  assert.is(headers['retry-after'], '1');
  assert.match(body, /could not review this token/);
  await world.cluster.startApiServer();
  await eventually('it is reviewed', async () => (await scrape(controller, fresh)).status === 403);
  for (const line of controller.logs)
    for (const token of [...Object.values(tokens), fresh])
      assert.not(JSON.stringify(line).includes(token.slice(-40)), line.message);
});

test.run();
