/** Connections of gRPC and of PostgreSQL keep the certificate that they began with; which users PostgreSQL lets in. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../teardown.ts';
import { grpc } from './clients/grpc.ts';
import { postgresql, psql, WHO } from './servers/postgresql.ts';
import { type Authority, authority, type Credentials, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import type { RunningClient } from './support/client.ts';
import { type ClientStage, clientStage } from './support/client-stage.ts';
import { currentFolder, mountSecret, secretFiles } from './support/mount.ts';
import type { ServerProgram } from './support/reader.ts';
import { startStage } from './support/stage.ts';
import { temporaryFolder } from './support/temporary.ts';

test.after(stopAll);

const grpcProgram = await available(grpc.title, grpc.install);
const databaseProgram = await available(postgresql.title, postgresql.install);

if (grpcProgram !== undefined)
  for (const maxAge of ['0', '1s'])
    test(`gRPC: a connection that the server ${maxAge === '0' ? 'never ends' : 'ends'} keeps the former certificate`, async () => {
      const ca = await authority(2);
      const stage = await clientStage(grpc, { own: await ca.issue(), server: await ca.issue(SERVER), maxAge });
      const client = await grpcProgram.start();
      const first = await serialOf(client, stage);
      const next = await ca.issue();
      await stage.swapClient(next);
      assert.is(await serialOf(client, stage), first, 'right after the rotation');
      // The age has a jitter of a tenth.
      await sleep(3_000);
      const expected = maxAge === '0' ? first : next.serial;
      // The connection that the server has just ended may still answer once.
      if (maxAge !== '0') await serialOf(client, stage);
      assert.is(await serialOf(client, stage), expected);
      await client.stop();
    });

async function serialOf(client: RunningClient, { port, directory }: ClientStage): Promise<string> {
  const answer = await client.ask({ port, directory, keep: 'one' });
  assert.ok('body' in answer, JSON.stringify(answer));
  return (JSON.parse(answer.body) as Credentials).serial;
}

async function database(program: ServerProgram, ca: Authority) {
  const own = await ca.issue(SERVER);
  return startStage(program, own, secretFiles(own), postgresql.permissions);
}

/** The files of a client as libpq wants them: the key for their owner alone. */
function filesOf(client: Credentials): string {
  const folder = temporaryFolder();
  const { directory } = mountSecret(folder, secretFiles(client), { defaultMode: 0o600 });
  return `${directory}/${currentFolder(directory)}`;
}

if (databaseProgram !== undefined) {
  test('PostgreSQL: a connection outlives the certificate of its client', async () => {
    const ca = await authority(2);
    const { server } = await database(databaseProgram, ca);
    const client = await ca.issue({ lifeMs: 4_000 });
    const call = { port: server.port, folder: filesOf(client), user: 'app' };
    assert.match(await psql(call, `select pg_sleep(6); ${WHO}`), client.commonName);
    const refusal = await psql(call).catch(({ message }: Error) => message);
    assert.match(refusal, /alert certificate expired/);
  });

  test('PostgreSQL: a common name that the map does not hold is refused', async () => {
    const ca = await authority(2);
    const { server, folder } = await database(databaseProgram, ca);
    const client = await ca.issue({ subject: { commonName: 'orders' } });
    const refusal = await psql({ port: server.port, folder: filesOf(client), user: 'app' }).catch(
      ({ message }: Error) => message,
    );
    assert.match(refusal, 'FATAL:  certificate authentication failed for user "app"');
    assert.match(
      readFileSync(`${folder}/postgresql.log`, 'utf8'),
      'no match in usermap "workloads" for user "app" authenticated as "orders"',
    );
  });
}

test.run();
