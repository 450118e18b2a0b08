/**
 * The tests that every server passes. A file `NAME.test.ts` calls `await proveServer(reader)`, and `NAME.long.test.ts`
 * `await proveServer(reader, { long: true })`, which tries all cells and writes the results.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { stopAll } from '../../teardown.ts';
import { type Authority, authority, type Credentials, SERVER } from './authority.ts';
import { ALL_CELLS, type Cell, CHAINS, type ChainLength, cellName, keyName, SHORT_CELLS } from './cells.ts';
import { secretFiles } from './mount.ts';
import { BAD_CLIENTS, type BadClient, type ServerProgram, type ServerReader, Unavailable } from './reader.ts';
import { recordResults } from './record.ts';
import { type Answer, type Call, refusalText, request as requestHttp } from './request.ts';
import { WORKS } from './results.ts';
import { messageOf, startStage } from './stage.ts';
import { underTraffic } from './traffic.ts';
import { tried } from './try-cell.ts';

export async function proveServer(reader: ServerReader, { long = false } = {}): Promise<void> {
  const { request = requestHttp } = reader;
  const program = await installed(reader);
  if (program === undefined) return;
  const cells: Record<string, string> = {};
  const refuses: Record<string, string> = {};
  const rotations: Record<string, string> = {};
  const authorities = await Promise.all(CHAINS.map((chain) => authority(chain, `${reader.title} CA ${chain}`)));
  const ca = (chain: ChainLength = 2) => authorities[chain - 1] as Authority;
  const content = async (own: Credentials) => ({ ...secretFiles(own), ...(await reader.outputs?.(own)) });
  const stage = async (own: Credentials) => startStage(program, own, await content(own), reader.permissions);
  test.after(stopAll);

  for (const group of groupsOf(long ? ALL_CELLS : SHORT_CELLS)) {
    const [{ role, key }] = group;
    test(`${reader.title} ${role} ${keyName(key)}`, async () => {
      for (const cell of group) cells[cellName(cell)] = await tried(reader, cell, ca, stage);
      const wrong = group.flatMap((cell) => {
        const expected = reader.refusedCells?.find(({ which }) => which(cell))?.message;
        const seen = cells[cellName(cell)] ?? '';
        const isRight = expected === undefined ? seen === WORKS : seen !== WORKS && expected.test(seen);
        return isRight ? [] : [`${cellName(cell)}: ${seen}, expected: ${expected ?? WORKS}`];
      });
      assert.equal(wrong, []);
    });
  }

  test(`${reader.title} refuses clients with a wrong certificate or none, and says why`, async () => {
    const own = await ca().issue(SERVER);
    const { server } = await stage(own);
    const other = await authority(2, 'Another CA');
    const clients: Record<BadClient, Credentials | undefined> = {
      none: undefined,
      expired: await ca().issue({ lifeMs: -60_000 }),
      'of another CA': await other.issue(),
      'for server auth alone': await ca().issue({ usages: ['digital signature', 'server auth'] }),
    };
    for (const kind of BAD_CLIENTS) {
      const before = server.log().length;
      refuses[kind] = await refused(request, { port: server.port, ca: own.ca, client: clients[kind], settleMs: 300 });
      const { seen, log } = reader.refuses[kind];
      if (seen instanceof RegExp) assert.match(refuses[kind], seen, kind);
      else assert.is(refuses[kind], seen, kind);
      if (log !== undefined)
        await eventually(
          `the log of ${reader.title} says why it refuses a client: ${kind}`,
          () => log.test(server.log().slice(before)),
          5_000,
        );
    }
    const [one, two] = [await ca().issue(), await ca().issue()];
    // The client's own TLS library refuses this pair: it never gets to the server.
    refuses['whose key does not match'] = await refused(requestHttp, {
      port: server.port,
      ca: own.ca,
      client: { ...one, key: two.key },
    });
    assert.match(refuses['whose key does not match'], /KEY_VALUES_MISMATCH/);
    const { port } = server;
    const answer = await request({ port, ca: own.ca, client: one });
    assert.is(answer.status, 200, 'and still serves others');
    await server.stop();
  });

  if (reader.mismatch === 'not noticed')
    test(`${reader.title} loads a key that does not match its certificate, and fails in each handshake`, async () => {
      const [one, two] = [await ca().issue(SERVER), await ca().issue(SERVER)];
      const { server } = await stage({ ...one, key: two.key });
      const client = await ca().issue();
      assert.is(
        await refused(request, { port: server.port, ca: one.ca, client }),
        'client: ERR_SSL_PROVIDER_SIGNATURE_FAILURE',
      );
      await server.stop();
    });
  else
    test(`${reader.title} does not load a key that does not match its certificate`, async () => {
      const [one, two] = [await ca().issue(SERVER), await ca().issue(SERVER)];
      const failure = await stage({ ...one, key: two.key }).then(() => undefined, messageOf);
      assert.match(failure ?? 'it started', reader.mismatch as RegExp);
      const good = await stage(one);
      good.mount.swap(await content({ ...one, key: two.key }));
      await good.server.reload().catch(() => {});
      const client = await ca().issue();
      const call = { port: good.server.port, ca: one.ca, client };
      if (reader.mismatchOnReload === undefined) {
        const answer = await request(call);
        assert.equal([answer.status, answer.serverSerial], [200, one.serial], 'it continues with the former files');
      } else assert.is(await refused(request, call), reader.mismatchOnReload);
      await good.server.stop();
    });

  test(`${reader.title} loads new serving files under requests, and none fails`, async () => {
    const first = await ca().issue(SERVER);
    const client = await ca().issue();
    const { server, mount } = await stage(first);
    const call = (): Call => ({ port: server.port, ca: first.ca, client });
    const rotate = async () => {
      for (let rotation = 1; rotation <= 3; rotation++) {
        const next = await ca().issue(SERVER);
        mount.swap(await content(next));
        await server.reload();
        await eventually(`${reader.title} presents the certificate of rotation ${rotation}`, async () => {
          const { serverSerial } = await request(call());
          return serverSerial === next.serial;
        });
      }
    };
    const { requests, failures } = await underTraffic(call, rotate, request);
    console.log(`# ${requests} requests over three rotations of the serving files`);
    assert.equal(failures, []);
    rotations['serving files'] = WORKS;
    await server.stop();
  });

  if (reader.clientCaNeedsRestart)
    test(`${reader.title} uses a new list of client CAs after a restart, and not before`, async () => {
      const own = await ca().issue(SERVER);
      const next = await authority(2, 'Next CA');
      const [former, later] = [await ca().issue(), await next.issue()];
      const { server, mount, restart } = await stage(own);
      const isAccepted = (client: Credentials) =>
        request({ port: server.port, ca: own.ca, client, settleMs: 20 }).then(
          ({ status }) => status === 200,
          () => false,
        );
      mount.swap(await content({ ...own, ca: own.ca + next.ca }));
      await server.reload();
      await sleep(LONG_ENOUGH_MS);
      assert.equal([await isAccepted(former), await isAccepted(later)], [true, false]);
      const again = await restart();
      assert.equal([await isAccepted(former), await isAccepted(later)], [true, true]);
      rotations['client CA'] = 'needs a restart';
      await again.stop();
    });
  else
    test(`${reader.title} loads a new list of client CAs under requests, and none fails`, async () => {
      const own = await ca().issue(SERVER);
      const next = await authority(2, 'Next CA');
      const [former, later] = [await ca().issue(), await next.issue()];
      const { server, mount } = await stage(own);
      const { port } = server;
      let client = former;
      const trust = async (pem: string, isLoaded: () => Promise<boolean>) => {
        mount.swap(await content({ ...own, ca: pem }));
        await server.reload();
        await eventually(`${reader.title} uses the new list of client CAs`, () => always(isLoaded));
      };
      const isAccepted = (who: Credentials) =>
        request({ port, ca: own.ca, client: who, settleMs: 20 }).then(
          ({ status }) => status === 200,
          () => false,
        );
      const { requests, failures } = await underTraffic(
        () => ({ port, ca: own.ca, client }),
        async (settled) => {
          assert.is(await isAccepted(later), false);
          await trust(own.ca + next.ca, () => isAccepted(later));
          client = later;
          await settled();
          await trust(next.ca, async () => !(await isAccepted(former)));
        },
        request,
      );
      console.log(`# ${requests} requests over a rotation of the client CA`);
      assert.equal(failures, []);
      rotations['client CA'] = WORKS;
      await server.stop();
    });

  const { name, title, source, reloads } = reader;
  const { version } = program;
  recordResults({ name, title, kind: 'server', source, version, reloads, cells, refuses, rotations }, long);
}

async function installed(reader: ServerReader): Promise<ServerProgram | undefined> {
  try {
    return await reader.install();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped, since there is no ${reader.title}: ${error.message}`);
    test.skip(reader.title, () => {});
    return undefined;
  }
}

type Group = readonly [Cell, ...Cell[]];

/** The cells of each role and key. */
export function groupsOf(cells: readonly Cell[]): readonly Group[] {
  const groups = Object.groupBy(cells, ({ role, key }) => `${role} ${keyName(key)}`);
  return Object.values(groups).map((group) => group as unknown as Group);
}

/** Whether it is so many times in a row: after a reload, the former processes of a server accept a few more connections. */
async function always(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let time = 0; time < IN_A_ROW; time++) if (!(await isSo())) return false;
  return true;
}

const IN_A_ROW = 10;

/** A program that polls its files does so each second. */
const LONG_ENOUGH_MS = 3_000;

async function refused(request: typeof requestHttp, call: Call): Promise<string> {
  const outcome: Answer | Error = await request(call).catch((error: Error) => error);
  if (!(outcome instanceof Error)) assert.is.not(outcome.status, 200, 'the server has accepted it');
  return refusalText(outcome);
}
