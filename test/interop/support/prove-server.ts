/**
 * The tests that every server passes. A file `NAME.test.ts` calls `await proveServer(reader)`, and `NAME.long.test.ts`
 * `await proveServer(reader, { long: true })`, which tries all cells and writes the results.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { stopAll } from '../../teardown.ts';
import { Authorities } from './authorities.ts';
import { type Authority, authority, type Credentials, SERVER } from './authority.ts';
import { available } from './available.ts';
import { ALL_CELLS, type Cell, cellName, groupName, shortCells } from './cells.ts';
import { type SecretFiles, secretFiles } from './mount.ts';
import { proveMismatch } from './prove-mismatch.ts';
import { proveRotations } from './prove-rotations.ts';
import { BAD_CLIENTS, type BadClient, type ServerProgram, type ServerReader } from './reader.ts';
import { recordResults } from './record.ts';
import { type Answer, type Call, refusalText, request as requestHttp } from './request.ts';
import { WORKS } from './results.ts';
import { type Stage, startStage } from './stage.ts';
import { tried } from './try-cell.ts';

/** What the tests of one server share. */
export interface Proof {
  readonly reader: ServerReader;
  readonly program: ServerProgram;
  readonly request: (call: Call) => Promise<Answer>;
  /** The authority whose chains have two certificates. */
  ca(): Authority;
  /** What the server's Secret holds. */
  content(own: Credentials): Promise<SecretFiles>;
  /** Starts the server; `own.ca` is what its clients' certificates must lead to. */
  stage(own: Credentials): Promise<Stage>;
}

export async function proveServer(reader: ServerReader, { long = false } = {}): Promise<void> {
  const program = await available(reader.title, reader.install);
  if (program === undefined) return;
  const { request = requestHttp } = reader;
  const cells: Record<string, string> = {};
  const refuses: Record<string, string> = {};
  const authorities = new Authorities(reader.title);
  const usual = await authorities.get();
  const ca = () => usual;
  const content = async (own: Credentials) => ({ ...secretFiles(own), ...(await reader.outputs?.(own)) });
  const stage = async (own: Credentials) => startStage(program, own, await content(own), reader.permissions);
  const proof: Proof = { reader, program, request, ca, content, stage };
  test.after(stopAll);

  for (const group of groupsOf(long ? ALL_CELLS : shortCells(reader.name))) {
    test(`${reader.title} ${groupName(group[0])}`, async () => {
      for (const cell of group) cells[cellName(cell)] = await tried(reader, cell, authorities, stage);
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

  proveMismatch(proof);
  const rotations = proveRotations(proof);
  const { name, title, source, reloads = 'must be restarted' } = reader;
  const { version } = program;
  recordResults({ name, title, kind: 'server', source, version, reloads, cells, refuses, rotations }, long);
}

type Group = readonly [Cell, ...Cell[]];

/** The cells of each role, key and kind of CA. */
export function groupsOf(cells: readonly Cell[]): readonly Group[] {
  const groups = Object.groupBy(cells, groupName);
  return Object.values(groups).map((group) => group as unknown as Group);
}

/** How the request is refused, as the peer sees it. Fails where the server accepts it. */
export async function refused(request: Proof['request'], call: Call): Promise<string> {
  const outcome: Answer | Error = await request(call).catch((error: Error) => error);
  if (!(outcome instanceof Error)) assert.is.not(outcome.status, 200, 'the server has accepted it');
  return refusalText(outcome);
}
