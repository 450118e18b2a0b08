/** What becomes of an HTTP/2 connection that stays open while certificates rotate, and the setting that limits its age. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { stopAll } from '../teardown.ts';
import { envoy, installEnvoy } from './servers/envoy.ts';
import { installNginx, nginx } from './servers/nginx.ts';
import { authority, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import { openConnection } from './support/http2.ts';
import { secretFiles } from './support/mount.ts';
import { request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);

const SERVERS = [
  {
    reader: nginx,
    /** With its setting for the age of connections replaced. */
    limited: () => installNginx('nginx.conf', { replacements: { 'keepalive_time 10m': 'keepalive_time 2s' } }),
    /** nginx ends idle connections when its former processes stop. */
    survivesReload: false,
  },
  { reader: envoy, limited: () => installEnvoy('envoy.yaml', { '600s': '2s' }), survivesReload: true },
];

for (const { reader, limited, survivesReload } of SERVERS) {
  const { title } = reader;
  const program = await available(title, reader.install);
  if (program === undefined) continue;

  test(`${title}: a connection outlives the certificate of its client`, async () => {
    const ca = await authority(2);
    const { server, own } = await startStage(program, await ca.issue(SERVER));
    const client = await ca.issue({ lifeMs: 4_000 });
    const call = { port: server.port, ca: own.ca, client };
    const connection = await openConnection(call);
    assert.is((await connection.get('/')).status, 200);
    await eventually('the certificate has expired', async () => {
      const outcome = await request({ ...call, settleMs: 100 }).catch((error: Error) => error);
      return outcome instanceof Error || outcome.status !== 200;
    });
    assert.is(connection.isOver(), false);
    assert.is((await connection.get('/')).status, 200, 'the open connection is still served');
  });

  test(`${title}: the setting for the age of connections ends it`, async () => {
    const ca = await authority(2);
    const { server, own } = await startStage(await limited(), await ca.issue(SERVER));
    const connection = await openConnection({ port: server.port, ca: own.ca, client: await ca.issue() });
    const openedMs = performance.now();
    const endedMs = await eventually('the connection has ended', async () => {
      if (connection.isOver()) return performance.now();
      assert.is((await connection.get('/')).status, 200);
      await sleep(50);
      return false;
    });
    const seconds = (endedMs - openedMs) / 1000;
    console.log(`# ${title}: a limit of 2 s ended the connection after ${seconds.toFixed(1)} s`);
    assert.ok(seconds >= 1.5, `${seconds} s`);
  });

  test(`${title}: a rotation of the serving files ${survivesReload ? 'leaves' : 'ends'} idle connections`, async () => {
    const ca = await authority(2);
    const { server, mount, own } = await startStage(program, await ca.issue(SERVER));
    const call = { port: server.port, ca: own.ca, client: await ca.issue() };
    const connection = await openConnection(call);
    assert.is((await connection.get('/')).status, 200);
    const next = await ca.issue(SERVER);
    mount.swap(secretFiles(next));
    await server.reload();
    await eventually(
      'new connections get the new certificate',
      async () => (await request(call)).serverSerial === next.serial,
    );
    assert.is(connection.serverSerial, own.serial);
    if (!survivesReload) {
      await eventually('the open connection has ended', () => connection.isOver());
      return;
    }
    await sleep(1_000);
    assert.is(connection.isOver(), false);
    assert.is((await connection.get('/')).status, 200);
  });
}

test.run();
