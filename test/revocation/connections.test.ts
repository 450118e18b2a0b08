/** Connections that a client had opened before it was revoked: which servers end them, and the settings with which all do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { psql } from '../interop/servers/postgresql.ts';
import { type Connection, openConnection } from '../interop/support/http2.ts';
import { visit } from '../interop/support/sessions.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { stopAll } from '../teardown.ts';
import {
  APACHE,
  CRL_SERVERS,
  type CrlServer,
  ENVOY,
  HAPROXY,
  HAPROXY_SWAP,
  type More,
  NGINX,
  NGINX_CURRENT,
  POSTGRESQL,
  tellHaproxy,
} from './support/crl-servers.ts';
import { crlStage, REFUSED_WITHIN_MS, whereAvailable } from './support/crl-stage.ts';
import { slowRequest } from './support/slow-request.ts';

test.after(stopAll);

const present = await whereAvailable(CRL_SERVERS);
const isPresent = ({ program }: { readonly program: CrlServer }) => present.includes(program);

/** Whether a reload ends connections on which no request is under way. */
const IDLE = [
  { program: NGINX, isEnded: true },
  { program: NGINX_CURRENT, isEnded: true },
  { program: APACHE, isEnded: true },
  { program: HAPROXY, isEnded: true },
  { program: HAPROXY_SWAP, isEnded: false },
  { program: ENVOY, isEnded: false },
] as const;

for (const { program, isEnded } of IDLE.filter(isPresent))
  test(`${program.title}: ${isEnded ? 'the reload ends' : 'a new list does not end'} an idle connection of a revoked client`, async () => {
    const { ca, server, callOf, revoke } = await crlStage(program);
    const client = await ca.issue();
    const connection = await openConnection(callOf(client));
    assert.is((await connection.get('/')).status, 200);
    await revoke(client);
    if (isEnded) await eventually('the connection is over', () => connection.isOver(), REFUSED_WITHIN_MS);
    else {
      await sleep(2_000);
      assert.is(await statusOn(connection), 200);
    }
    await server.stop();
  });

/** Longer than it takes to load a list. */
const QUERY_S = 8;
const [LIMIT_S, PAST_LIMIT_MS] = [1, 2_500] as const;
/** What Apache gives its processes to end before it kills them. */
const APACHE_RESTARTED_MS = 20_000;

interface InFlight {
  readonly program: CrlServer;
  readonly direction: 'download' | 'upload';
  /** With which a request takes long. */
  readonly slow: More;
  readonly setting: string;
  readonly limit: More;
}

/** It takes 40 s, on a path of its own: a moment after the reload former processes still accept connections. */
const SLOW_NGINX: More = {
  'server_name web.shop.svc;': ` location = /slow { limit_rate 100; return 200 "${'.'.repeat(4_000)}"; }`,
};
const NGINX_LIMIT = {
  direction: 'download',
  slow: SLOW_NGINX,
  setting: 'worker_shutdown_timeout',
  limit: { 'events {}': `\nworker_shutdown_timeout ${LIMIT_S}s;` },
} as const;

const IN_FLIGHT: readonly InFlight[] = [
  { program: NGINX, ...NGINX_LIMIT },
  { program: NGINX_CURRENT, ...NGINX_LIMIT },
  {
    program: HAPROXY,
    direction: 'upload',
    slow: { 'frontend tls': '\n  http-request wait-for-body time 60s if { path /slow }' },
    setting: 'hard-stop-after',
    limit: { 'log stdout format raw local0 info': `\n  hard-stop-after ${LIMIT_S}s` },
  },
];

for (const { program, direction, slow, setting, limit } of IN_FLIGHT.filter(isPresent))
  test(`${program.title}: a request of a revoked client that is under way goes on, except where ${setting} limits it`, async () => {
    const tryWith = async (more: More, isServed: boolean) => {
      const { ca, server, callOf, revoke } = await crlStage(program, more);
      const client = await ca.issue();
      const request = await slowRequest({ ...callOf(client), path: '/slow' }, direction);
      assert.is(await request.isServed(), true, 'before the list');
      await revoke(client);
      await sleep(PAST_LIMIT_MS);
      assert.is(await request.isServed(), isServed);
      await server.stop();
    };
    await Promise.all([tryWith(slow, true), tryWith({ ...slow, ...limit }, false)]);
  });

if (present.includes(APACHE))
  test('Apache httpd: a request of a revoked client that is under way goes on after SIGUSR1, and SIGHUP ends it', async () => {
    const { ca, server, callOf, revoke } = await crlStage(APACHE);
    const client = await ca.issue();
    const request = await slowRequest(callOf(client), 'upload');
    assert.is(await request.isServed(), true, 'before the list');
    await revoke(client);
    await sleep(PAST_LIMIT_MS);
    assert.is(await request.isServed(), true);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the request has ended', async () => !(await request.isServed()), APACHE_RESTARTED_MS);
    await server.stop();
  });

if (present.includes(ENVOY))
  test('Envoy: max_connection_duration ends a connection of a revoked client on which requests are made', async () => {
    const { ca, server, callOf, revoke } = await crlStage(ENVOY, {
      'max_connection_duration: 600s': { instead: `max_connection_duration: ${LIMIT_S}s` },
    });
    const client = await ca.issue();
    const connection = await openConnection(callOf(client));
    await revoke(client);
    assert.is(await statusOn(connection), 200, 'before the limit');
    await eventually('the connection has ended', async () => (await statusOn(connection)) !== 200, 10_000);
    await server.stop();
  });

if (present.includes(HAPROXY_SWAP))
  test('HAProxy, by its socket: a list of serial numbers is asked for each request, also on older connections and sessions', async () => {
    const serials = join(temporaryFolder(), 'revoked.lst');
    writeFileSync(serials, '');
    const { ca, server, place, callOf } = await crlStage(HAPROXY_SWAP, {
      'frontend tls': `\n  http-request deny deny_status 403 if { ssl_c_serial,hex -i -f ${serials} }`,
    });
    const [client, other] = [await ca.issue(), await ca.issue()];
    const connections = await Promise.all([client, other].map((each) => openConnection(callOf(each))));
    const { session } = await visit(callOf(client));
    const statuses = () => Promise.all(connections.map(statusOn));
    assert.equal(await statuses(), [200, 200]);
    await tellHaproxy(join(place.folder, 'admin.sock'), `add acl ${serials} ${client.serial}\n`, /^\s*$/);
    assert.equal(await statuses(), [403, 200]);
    assert.is((await visit({ ...callOf(client), session })).isServed, false);
    await server.stop();
  });

for (const program of await whereAvailable([POSTGRESQL]))
  test('PostgreSQL: an open connection of a revoked client is served on', async () => {
    const { ca, server, callOf, revoke } = await crlStage(program);
    const client = await ca.issue();
    const folder = temporaryFolder();
    const files = { 'tls.crt': client.certificate, 'tls.key': client.key, 'ca.crt': callOf(client).ca };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
    let isOver = false;
    const query = psql({ port: server.port, folder, user: 'app' }, `select pg_sleep(${QUERY_S}); select 'served'`);
    const answer = query.finally(() => {
      isOver = true;
    });
    await eventually('the connection is open', () => /connection authorized: user=app/.test(server.log()));
    await revoke(client);
    assert.is(isOver, false, 'the query was to last longer');
    assert.match(await answer, 'served');
    await server.stop();
  });

/** 0 where the connection is over. */
async function statusOn(connection: Connection): Promise<number> {
  if (connection.isOver()) return 0;
  return connection.get('/').then(
    ({ status }) => status,
    () => 0,
  );
}

test.run();
