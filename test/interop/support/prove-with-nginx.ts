/** The short form of the tests of a client, with nginx as its server in place of Go's. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { installNginx } from '../servers/nginx.ts';
import { authority, SERVER } from './authority.ts';
import { available } from './available.ts';
import type { ClientProgram, ClientReader } from './client.ts';
import { clientStage } from './client-stage.ts';
import { underRequests } from './client-traffic.ts';
import { field } from './identity.ts';
import { WORKS } from './results.ts';

/** `peers` gets the results. */
export async function proveWithNginx(
  reader: ClientReader,
  program: ClientProgram,
  peers: Record<string, string>,
): Promise<void> {
  const { title } = reader;
  const replacements = {
    'ssl_protocols TLSv1.2 TLSv1.3;': 'ssl_protocols TLSv1.3;',
    // As Go's server does: a client that keeps its connection gets to its new certificate.
    'keepalive_time 10m': 'keepalive_time 1s',
  };
  const nginx = await available('nginx', () => installNginx('nginx.conf', { replacements }));
  if (nginx === undefined) return;
  const withNginx: ClientReader = { ...reader, startServer: (setup) => nginx.start(setup) };
  const ca = await authority(2, `${title} CA for nginx`);

  test(`${title} is served by nginx, TLS 1.3`, async () => {
    const own = await ca.issue();
    const stage = await clientStage(withNginx, { own, server: await ca.issue(SERVER) });
    const client = await program.start();
    const answer = await client.ask({ port: stage.port, directory: stage.directory });
    assert.ok('status' in answer && answer.status === 200, JSON.stringify(answer));
    assert.is(serialOf(answer.body), own.serial);
    assert.is(field(answer.body, 'subject'), `CN=${own.commonName}`);
    await eventually('nginx logs the request', () => / TLSv1\.3 .* verify=SUCCESS /.test(stage.log()));
    peers['nginx, TLS 1.3'] = WORKS;
    await client.stop();
    await stage.stop();
  });

  test(`${title} picks up its new certificate under requests to nginx, and none fails`, async () => {
    const stage = await clientStage(withNginx, { own: await ca.issue(), server: await ca.issue(SERVER) });
    const client = await program.start();
    const next = await ca.issue();
    const change = async (last: () => string | undefined) => {
      await stage.swapClient(next);
      await eventually(`${title} shows its new certificate to nginx`, () => last() === next.serial);
    };
    const requests = await underRequests(client, stage, change, serialOf);
    console.log(`# ${requests} requests to nginx over a rotation of the client's certificate`);
    peers['nginx, a rotation'] = WORKS;
    await client.stop();
    await stage.stop();
  });
}

const serialOf = (body: string) => field(body, 'serial').toLowerCase();
