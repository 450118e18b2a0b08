/**
 * The tests that every client passes, with the servers of the `interop` program as its peers. A file `NAME.test.ts` calls
 * `await proveClient(reader)`, and `NAME.long.test.ts` with `{ long: true }`, which tries all cells and writes the results.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { stopAll } from '../../teardown.ts';
import { Authorities } from './authorities.ts';
import { authority, SERVER } from './authority.ts';
import { available } from './available.ts';
import { ALL_CELLS, type Cell, cellName, groupName, shortCells, TLS_VERSIONS } from './cells.ts';
import { CLIENT_FAILURES, type ClientReader, type RunningClient } from './client.ts';
import { clientStage, failingStage } from './client-stage.ts';
import { underRequests } from './client-traffic.ts';
import { plain, refusalOf } from './client-words.ts';
import { groupsOf } from './prove-server.ts';
import { proveWithNginx } from './prove-with-nginx.ts';
import { recordResults } from './record.ts';
import { WORKS } from './results.ts';

export async function proveClient(reader: ClientReader, { long = false } = {}): Promise<void> {
  const program = await available(reader.title, reader.install);
  if (program === undefined) return;
  const cells: Record<string, string> = {};
  const refuses: Record<string, string> = {};
  const rotations: Record<string, string> = {};
  const peers: Record<string, string> = {};
  const authorities = new Authorities(reader.title);
  const usual = await authorities.get();
  const ca = () => usual;
  test.after(stopAll);

  for (const group of groupsOf(long ? ALL_CELLS : shortCells(reader.name))) {
    test(`${reader.title} ${groupName(group[0])}`, async () => {
      const client = await program.start();
      for (const cell of group) cells[cellName(cell)] = await tried(reader, client, cell, authorities);
      await client.stop();
      const wrong = group.flatMap((cell) => {
        const expected = reader.refusedCells?.find(({ which }) => which(cell))?.message;
        const seen = cells[cellName(cell)] ?? '';
        const isRight = expected === undefined ? seen === WORKS : seen !== WORKS && expected.test(seen);
        return isRight ? [] : [`${cellName(cell)}: ${seen}, expected: ${expected ?? WORKS}`];
      });
      assert.equal(wrong, []);
    });
  }

  for (const tls of TLS_VERSIONS)
    test(`${reader.title} says what is wrong with its own certificate or the server's, TLS ${tls}`, async () => {
      const client = await program.start();
      for (const failure of CLIENT_FAILURES) {
        const { port, directory, stop } = await failingStage(reader, failure, tls);
        const seen = await refusalOf(reader, client, { port, directory });
        await stop();
        assert.match(seen, reader.failures[failure], `${failure}, TLS ${tls}`);
        refuses[`${failure}, TLS ${tls}`] = seen;
      }
      await client.stop();
    });

  test(`${reader.title} picks up its new certificate under requests, and none fails`, async () => {
    const stage = await clientStage(reader, { own: await ca().issue(), server: await ca().issue(SERVER) });
    const client = await program.start();
    const requests = await underRequests(client, stage, async (last) => {
      for (let rotation = 1; rotation <= 3; rotation++) {
        const next = await ca().issue();
        await stage.swapClient(next);
        await eventually(`${reader.title} shows the certificate of rotation ${rotation}`, () => last() === next.serial);
      }
    });
    console.log(`# ${requests} requests over three rotations of the client's certificate`);
    rotations['own certificate'] = WORKS;
    await client.stop();
    await stage.stop();
  });

  test(`${reader.title} follows a replacement of the server's CA under requests, and none fails`, async () => {
    const next = await authority(2, 'Next CA');
    const own = await ca().issue();
    const first = await ca().issue(SERVER);
    const stage = await clientStage(reader, { own, server: first });
    const client = await program.start();
    const requests = await underRequests(client, stage, async (_last, more) => {
      await stage.swapClient({ ...own, ca: own.ca + next.ca });
      await more();
      await stage.swapServer({ ...(await next.issue(SERVER)), ca: own.ca });
      await more();
      await stage.swapClient({ ...own, ca: next.ca });
      await more();
      const answer = await client.ask({ port: stage.port, directory: stage.directory });
      assert.ok('status' in answer && answer.status === 200, JSON.stringify(answer));
    });
    console.log(`# ${requests} requests over a replacement of the server's CA`);
    rotations["server's CA"] = WORKS;
    await client.stop();
    await stage.stop();
  });

  if (reader.startServer === undefined) await proveWithNginx(reader, program, peers);
  const { name, title, source, reloads } = reader;
  const { version } = program;
  recordResults({ name, title, kind: 'client', source, version, reloads, cells, refuses, rotations, peers }, long);
}

/** `works`, or what the client says. */
async function tried(
  reader: ClientReader,
  client: RunningClient,
  { role, key, tls, chain, caKey }: Cell,
  authorities: Authorities,
): Promise<string> {
  const isOwn = role === 'presents';
  const [usual, tried] = [await authorities.get(), await authorities.get(chain, caKey)];
  const server = await (isOwn ? usual : tried).issue(isOwn ? SERVER : { ...SERVER, key });
  const own = await (isOwn ? tried : usual).issue(isOwn ? { key } : {});
  const stage = await clientStage(reader, {
    own: { ...own, ca: server.ca },
    server: { ...server, ca: own.ca },
    tls,
  });
  try {
    const question = { port: stage.port, directory: stage.directory };
    const answer = await client.ask(question);
    if ('error' in answer) return plain(answer.error, question);
    const { commonName, serial, protocol } = JSON.parse(answer.body);
    assert.equal([commonName, serial, protocol], [own.commonName, own.serial, `TLS ${tls}`]);
    return WORKS;
  } finally {
    await stage.stop();
  }
}
