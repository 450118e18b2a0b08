/** What nginx and Envoy tell a Prometheus about handshakes, and the alerts of their guides. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../cluster/ports.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { prometheusPrograms } from '../monitoring/programs.ts';
import { type Prometheus, startPrometheus } from '../monitoring/prometheus.ts';
import { unpackDebian } from '../programs/debian.ts';
import { stopAll } from '../teardown.ts';
import { envoy } from './servers/envoy.ts';
import { nginx } from './servers/nginx.ts';
import { type Authority, authority, type Credentials, SERVER } from './support/authority.ts';
import { available, unavailable } from './support/available.ts';
import { secretFiles } from './support/mount.ts';
import { request } from './support/request.ts';
import { answers, startServer } from './support/server-process.ts';
import { type Stage, startStage } from './support/stage.ts';

test.after(stopAll);

const CONF = join(import.meta.dirname, 'conf');

const monitor = await available('Prometheus', () => prometheusPrograms().catch(unavailable));
const installedNginx = await available('nginx', nginx.install);
const mtail = await available('mtail', () => unpackDebian('mtail').catch(unavailable));
const installedEnvoy = await available('Envoy', envoy.install);
const hasNginx = monitor && installedNginx && mtail;
const hasEnvoy = monitor && installedEnvoy;

if (hasNginx)
  test('nginx: its log lines count refused clients by reason, and the alert fires', async () => {
    const ca = await authority(2);
    const stage = await startStage(installedNginx, await ca.issue(SERVER));
    const port = await freePort();
    const { folder } = stage;
    const program = join(mtail, 'usr/bin/mtail');
    const args = ['-progs', join(CONF, 'nginx'), '-logs', join(folder, 'nginx.log'), '-port', String(port)];
    await startServer({ name: 'mtail', program, args: [...args, '-address', '127.0.0.1'], folder, port });
    const prometheus = await startPrometheus([`127.0.0.1:${port}`], join(CONF, 'nginx/alerts.yaml'));
    await ask(stage, await ca.issue());
    await eventually(
      'the request is counted',
      async () => (await sum(prometheus, 'nginx_tls_requests_total{verify="SUCCESS"}')) > 0,
    );
    assert.equal(await firing(prometheus), []);

    assert.is(await answers(stage.server.port), true);
    await eventually('a probe by TCP is logged', () =>
      / client closed connection while SSL handshaking/.test(stage.server.log()),
    );
    assert.is(await sum(prometheus, 'nginx_tls_handshake_failures_total'), 0, 'and not counted');

    const expired = await ca.issue({ lifeMs: -60_000 });
    const alerts = await eventually('the alert fires', async () => {
      // A counter begins with its first line, and only a second one is an increase.
      await ask(stage, expired);
      const all = await firing(prometheus);
      return all.length > 0 && all;
    });
    assert.equal(alerts, ['NginxRefusesClients: nginx refuses client certificates: FAILED:certificate has expired']);

    // A client that does not trust the CA of nginx.
    const another = join(folder, 'another-ca.pem');
    writeFileSync(another, (await authority(2)).ca);
    const distrust = [
      's_client',
      '-connect',
      `127.0.0.1:${stage.server.port}`,
      '-CAfile',
      another,
      '-verify_return_error',
    ];
    const handshakes = await eventually('the other alert fires', async () => {
      spawnSync('openssl', distrust, { input: '' });
      const all = await firing(prometheus);
      return all.some((each) => each.startsWith('NginxHandshakesFail')) && all;
    });
    assert.ok(handshakes.includes('NginxHandshakesFail: TLS handshakes with nginx fail: tlsv1 alert unknown ca'));
  });

if (hasEnvoy)
  test('Envoy: its metrics count refused clients and rejected files, and the alerts fire', async () => {
    const ca = await authority(2);
    const stage = await startStage(installedEnvoy, await ca.issue(SERVER));
    const [, admin = ''] = /admin address: (\S+)/.exec(stage.server.log()) ?? [];
    const prometheus = await startPrometheus([admin], join(CONF, 'envoy/alerts.yaml'), '/stats/prometheus');
    await ask(stage, await ca.issue());
    await eventually(
      'the handshake is counted',
      async () => (await sum(prometheus, 'envoy_listener_ssl_handshake')) > 0,
    );
    assert.equal(await firing(prometheus), []);

    await ask(stage);
    await eventually(
      'a client without a certificate is counted',
      async () => (await sum(prometheus, 'envoy_listener_ssl_fail_verify_no_cert')) > 0,
    );
    await ask(stage, await ca.issue({ lifeMs: -60_000 }));
    await eventually(
      'an expired client is counted',
      async () => (await sum(prometheus, 'envoy_listener_ssl_fail_verify_error')) > 0,
    );
    await eventually('the alert about clients fires', async () =>
      (await firing(prometheus)).some((each) => each.startsWith('EnvoyRefusesClients')),
    );

    await rejectFiles(ca, stage);
    const alerts = await eventually('the alert about files fires', async () => {
      const all = await firing(prometheus);
      return all.some((each) => each.startsWith('EnvoyDoesNotLoadSecret')) && all;
    });
    assert.ok(
      alerts.includes("EnvoyDoesNotLoadSecret: Envoy can't load the rotated files of own and keeps the former ones"),
    );

    stage.mount.swap(secretFiles(await ca.issue({ ...SERVER, lifeMs: 50_000 })));
    await eventually('the alert about expiry fires', async () =>
      (await firing(prometheus)).some((each) => each.startsWith('EnvoyCertificateExpires')),
    );
  });

async function rejectFiles(ca: Authority, { mount }: Stage): Promise<void> {
  const [one, two] = [await ca.issue(SERVER), await ca.issue(SERVER)];
  mount.swap(secretFiles({ ...one, key: two.key }));
}

async function ask({ server, own }: Stage, client?: Credentials): Promise<void> {
  await request({ port: server.port, ca: own.ca, client, settleMs: 100 }).catch(() => {});
}

async function sum(prometheus: Prometheus, series: string): Promise<number> {
  const samples = await prometheus.query(`sum(${series})`);
  return samples[0]?.value ?? 0;
}

/** The name and the summary of each alert that fires. */
async function firing(prometheus: Prometheus): Promise<readonly string[]> {
  const { data } = (await prometheus.get('/api/v1/alerts')) as {
    data: { alerts: { state: string; labels: { alertname: string }; annotations: { summary: string } }[] };
  };
  const all = data.alerts.filter(({ state }) => state === 'firing');
  return all.map(({ labels, annotations }) => `${labels.alertname}: ${annotations.summary}`).sort();
}

test.run();
