/** A TLS session that is resumed skips the verification of the client: what outlives it, and the settings against that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { stopAll } from '../teardown.ts';
import { apache, installApache } from './servers/apache.ts';
import { caddy } from './servers/caddy.ts';
import { envoy, installEnvoy } from './servers/envoy.ts';
import { haproxy, installHaproxy } from './servers/haproxy.ts';
import { installNginx, nginx } from './servers/nginx.ts';
import { authority, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import { TLS_VERSIONS, type TlsVersion } from './support/cells.ts';
import { secretFiles } from './support/mount.ts';
import type { ServerProgram } from './support/reader.ts';
import { type Call, request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);

/** Each with its setting that switches resumption off, in place of a line of its configuration. */
const SERVERS = [
  {
    reader: nginx,
    without: () =>
      installNginx('nginx.conf', {
        replacements: { 'ssl_verify_client on;': 'ssl_verify_client on; ssl_session_tickets off;' },
      }),
  },
  {
    reader: haproxy,
    // Without tickets it still resumes sessions of TLS 1.2 from its cache.
    without: () =>
      installHaproxy({
        'verify required': 'verify required no-tls-tickets',
        'stats socket': 'tune.ssl.cachesize 0\n  stats socket',
      }),
  },
  {
    reader: envoy,
    without: () =>
      installEnvoy('envoy.yaml', {
        'require_client_certificate: true': [
          'require_client_certificate: true',
          'disable_stateless_session_resumption: true',
          // Sessions of TLS 1.2.
          'disable_stateful_session_resumption: true',
        ].join('\n              '),
      }),
  },
  { reader: apache, without: () => installApache({ 'SSLEngine on': 'SSLEngine on\n  SSLSessionTickets off' }) },
];

for (const { reader, without } of SERVERS) {
  const program = await available(reader.title, reader.install);
  if (program === undefined) continue;
  for (const tls of TLS_VERSIONS) {
    test(`${reader.title}, TLS ${tls}: a session outlives the certificate of the client`, async () => {
      const { call, first } = await start(program, { tls, lifeMs: 5_000 });
      const second = await request({ ...call, session: first.session });
      assert.is(second.isResumed, true);
      await untilRefused('the certificate has expired', call);
      const { status, isResumed } = await request({ ...call, session: second.session ?? first.session, settleMs: 100 });
      assert.equal({ status, isResumed }, { status: 200, isResumed: true });
    });
  }

  test(`${reader.title}: a session does not outlive the CA that it was verified with`, async () => {
    const { call, first, mount, own, server } = await start(program, {});
    mount.swap(secretFiles({ ...own, ca: (await authority(2, 'Another CA')).ca }));
    await server.reload();
    await untilRefused('the CA is not trusted any more', call);
    assert.is(await isServed({ ...call, session: first.session }), false);
  });

  test(`${reader.title}: a setting switches resumption off`, async () => {
    for (const tls of TLS_VERSIONS) {
      const { call, first } = await start(await without(), { tls });
      const { status, isResumed } = await request({ ...call, session: first.session });
      assert.equal({ status, isResumed }, { status: 200, isResumed: false }, tls);
    }
  });
}

const caddyProgram = await available(caddy.title, caddy.install);
if (caddyProgram !== undefined)
  test(`${caddy.title} resumes no session of a client with a certificate`, async () => {
    for (const tls of TLS_VERSIONS) {
      const { call, first } = await start(caddyProgram, { tls });
      assert.is((await request({ ...call, session: first.session })).isResumed, false, tls);
    }
  });

/** A server, and the first request of a client. */
async function start(program: ServerProgram, { tls, lifeMs }: { tls?: TlsVersion; lifeMs?: number }) {
  const ca = await authority(2);
  const { server, own, mount } = await startStage(program, await ca.issue(SERVER));
  const client = await ca.issue(lifeMs === undefined ? {} : { lifeMs });
  const call: Call = { port: server.port, ca: own.ca, client, ...(tls === undefined ? {} : { tls }) };
  return { call, first: await request(call), server, own, mount };
}

async function isServed(call: Call): Promise<boolean> {
  const status = await request({ ...call, settleMs: 100 }).then(
    (answer) => answer.status,
    () => 0,
  );
  return status === 200;
}

async function untilRefused(what: string, call: Call): Promise<void> {
  await eventually(what, async () => !(await isServed(call)));
}

test.run();
