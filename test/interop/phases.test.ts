/** The steps of docs/guides/phases.md, from TLS to required mTLS: who is served in each, and the figure that shows it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../cluster/ports.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { unpackDebian } from '../programs/debian.ts';
import { stopAll } from '../teardown.ts';
import { envoy, installEnvoy } from './servers/envoy.ts';
import { go, installGo } from './servers/go.ts';
import { haproxy, installHaproxy } from './servers/haproxy.ts';
import { installNginx, nginx } from './servers/nginx.ts';
import { type Authority, authority, type Credentials, SERVER } from './support/authority.ts';
import { available, unavailable } from './support/available.ts';
import type { ServerProgram } from './support/reader.ts';
import { request } from './support/request.ts';
import { startServer } from './support/server-process.ts';
import { type Stage, startStage } from './support/stage.ts';

test.after(stopAll);

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/guides/phases.md'), 'utf8');
const CONF = join(import.meta.dirname, 'conf');

/** The lines that the page shows for a step. */
function shown(name: string): string {
  const [, lines] = new RegExp(`^<!-- phase: ${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(PAGE) ?? [];
  if (lines === undefined) throw new Error(`docs/guides/phases.md does not show ${name}`);
  return lines.trimEnd();
}

const CLIENTS = ['good', 'none', 'expired'] as const;
type Client = (typeof CLIENTS)[number];
type Served = Readonly<Record<Client, boolean>>;

const OFF: Served = { good: true, none: true, expired: true };
const OPTIONAL: Served = { good: true, none: true, expired: false };
const REQUIRED: Served = { good: true, none: false, expired: false };

interface Scene extends Stage {
  readonly clients: Readonly<Record<Client, Credentials | undefined>>;
}

async function scene(program: ServerProgram): Promise<Scene> {
  const ca: Authority = await authority(2);
  const stage = await startStage(program, await ca.issue(SERVER));
  const clients = { good: await ca.issue(), none: undefined, expired: await ca.issue({ lifeMs: -60_000 }) };
  return { ...stage, clients };
}

async function isServed({ server, own, clients }: Scene, client: Client, path = '/'): Promise<boolean> {
  const call = { port: server.port, ca: own.ca, client: clients[client], path, settleMs: 100 };
  const status = await request(call).then(
    (answer) => answer.status,
    () => 0,
  );
  return status === 200;
}

async function served(stage: Scene): Promise<Served> {
  return {
    good: await isServed(stage, 'good'),
    none: await isServed(stage, 'none'),
    expired: await isServed(stage, 'expired'),
  };
}

async function untilServed(stage: Scene, expected: Served): Promise<void> {
  await eventually(`served: ${JSON.stringify(expected)}`, async () => {
    const seen = await served(stage);
    return CLIENTS.every((client) => seen[client] === expected[client]);
  });
}

const ON = 'ssl_verify_client on;';
const nginxProgram = await available(nginx.title, () =>
  installNginx('nginx.conf', {
    replacements: {
      [ON]: shown('nginx off'),
      '  server {': `${shown('nginx http')}\n  server {`,
      'location / {': `${shown('nginx path')}\n location / {`,
    },
  }),
);
const mtail = await available('mtail', () => unpackDebian('mtail').catch(unavailable));

if (nginxProgram !== undefined && mtail !== undefined)
  test('nginx: by reloads through the steps and back; mtail counts clients without a certificate', async () => {
    const stage = await scene(nginxProgram);
    const metric = await startMtail(mtail, stage.folder);
    const config = join(stage.folder, 'nginx.conf');
    let lines = shown('nginx off');
    const move = async (next: string, expected: Served) => {
      const text = readFileSync(config, 'utf8');
      assert.ok(text.includes(lines));
      writeFileSync(config, text.replace(lines, next));
      lines = next;
      const ended = () => [...stage.server.log().matchAll(/worker process \d+ exited/g)].length;
      const before = ended();
      await stage.server.reload();
      // Until then it may serve requests by the lines from before, beside the new one.
      await eventually('the worker from before has ended', () => ended() > before);
      await untilServed(stage, expected);
    };
    assert.equal(await served(stage), OFF);

    const optional = shown('nginx optional').replaceAll('/dev/stdout', join(stage.folder, 'nginx.log'));
    await move(optional, OPTIONAL);
    await eventually('a request without a certificate is counted', async () => (await metric('NONE')) > 0);
    assert.match(stage.server.log(), /^without a certificate: 127\.0\.0\.1 "-" \/$/m);
    assert.is(await isServed(stage, 'good', '/transactions'), true);
    assert.is(await isServed(stage, 'none', '/transactions'), false);

    await move(shown('nginx required'), REQUIRED);
    const before = await metric('NONE');
    assert.is(await isServed(stage, 'none'), false);
    await eventually('a refusal is counted', async () => (await metric('NONE')) > before);

    await move(optional, OPTIONAL);
    await move(shown('nginx off'), OFF);
  });

/** The count of requests by their verification. */
async function startMtail(mtail: string, folder: string): Promise<(verify: string) => Promise<number>> {
  const port = await freePort();
  const args = ['-progs', join(CONF, 'nginx'), '-logs', join(folder, 'nginx.log'), '-port', String(port)];
  const program = join(mtail, 'usr/bin/mtail');
  await startServer({ name: 'mtail', program, args: [...args, '-address', '127.0.0.1'], folder, port });
  return async (verify) => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return sumOf(text, `nginx_tls_requests_total\\{[^}]*verify="${verify}"[^}]*\\}`);
  };
}

/** Of all samples in the text format of Prometheus whose series fits. */
function sumOf(text: string, series: string): number {
  const values = [...text.matchAll(new RegExp(`^${series} ([\\d.]+)`, 'gm'))].map(([, value]) => Number(value));
  return values.reduce((sum, value) => sum + value, 0);
}

const TRUST = `                validation_context_sds_secret_config:
                  name: clients
                  sds_config: { path_config_source: { path: /etc/envoy/clients.yaml } }
`;
const REQUIRE = 'require_client_certificate: true';
const LOG = shown('envoy log').replaceAll('\n', `\n${' '.repeat(16)}`);

const ENVOY_STEPS = [
  {
    step: 'off',
    install: () => installEnvoy('envoy.yaml', { [REQUIRE]: '', [TRUST]: '' }),
    expected: OFF,
    counted: { no_certificate: 3, fail_verify_error: 0, fail_verify_no_cert: 0 },
  },
  {
    step: 'optional',
    install: () =>
      installEnvoy('envoy.yaml', {
        [REQUIRE]: 'require_client_certificate: false',
        'stat_prefix: web': `stat_prefix: web\n${' '.repeat(16)}${LOG}`,
      }),
    expected: OPTIONAL,
    counted: { no_certificate: 1, fail_verify_error: 1, fail_verify_no_cert: 0 },
  },
  {
    step: 'required',
    install: () => installEnvoy(),
    expected: REQUIRED,
    counted: { no_certificate: 0, fail_verify_error: 1, fail_verify_no_cert: 1 },
  },
];

for (const { step, install, expected, counted } of ENVOY_STEPS) {
  const program = await available(envoy.title, install);
  if (program === undefined) break;
  test(`Envoy: step ${step}, with its metrics`, async () => {
    const stage = await scene(program);
    assert.equal(await served(stage), expected);
    const [, admin = ''] = /admin address: (\S+)/.exec(stage.server.log()) ?? [];
    const stats = await (await fetch(`http://${admin}/stats/prometheus`)).text();
    const names = Object.keys(counted);
    assert.equal(
      Object.fromEntries(names.map((name) => [name, sumOf(stats, `envoy_listener_ssl_${name}\\{[^}]*\\}`)])),
      counted,
    );
    if (step !== 'optional') return;
    await eventually('the log names the client', () => /^client 127\.0\.0\.1 subject=-$/m.test(stage.server.log()));
    assert.match(stage.server.log(), `client 127.0.0.1 subject=CN=${stage.clients.good?.commonName}`);
  });
}

const HAPROXY_STEPS = [
  { verify: 'none', expected: OFF },
  { verify: 'optional', expected: OPTIONAL },
  { verify: 'required', expected: REQUIRED },
];

for (const { verify, expected } of HAPROXY_STEPS) {
  const install = () =>
    installHaproxy({
      'verify required': `verify ${verify}`,
      'log-format "%ST %sslv resumed=%[ssl_fc_is_resumed] subject=%{+Q}[ssl_c_s_dn]"': shown('haproxy log'),
    });
  const program = await available(haproxy.title, install);
  if (program === undefined) break;
  test(`HAProxy: verify ${verify}, with its log`, async () => {
    const stage = await scene(program);
    assert.equal(await served(stage), expected);
    if (verify !== 'optional') return;
    const log = stage.server.log();
    assert.match(log, /^127\.0\.0\.1 certificate=0 subject=""$/m);
    assert.match(log, `127.0.0.1 certificate=1 subject="/CN=${stage.clients.good?.commonName}"`);
  });
}

const GO_STEPS = [
  { auth: 'none', expected: OFF },
  { auth: 'optional', expected: OPTIONAL },
  { auth: 'required', expected: REQUIRED },
];

for (const { auth, expected } of GO_STEPS) {
  const program = await available(go.title, installGo(`-client-auth=${auth}`));
  if (program === undefined) break;
  test(`Go: client certificates are ${auth}, with its log`, async () => {
    const stage = await scene(program);
    assert.equal(await served(stage), expected);
    assert.is(/^without a certificate: 127\.0\.0\.1:\d+$/m.test(stage.server.log()), auth !== 'required');
  });
}

test.run();
