/** What a large list costs: its size, the time to sign it, and the memory and the reload of each server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { stopAll } from '../../teardown.ts';
import { CRL_SERVERS, HAPROXY_SWAP } from './crl-servers.ts';
import { crlStage, isServed, whereAvailable } from './crl-stage.ts';
import { derOf } from './fetch-script.ts';
import { listsOf } from './lists.ts';
import { memoryOf, memoryWhile } from './memory.ts';

/** Of DER, with a serial number of 19 bytes, a date and a reason. */
const MOST_BYTES_AN_ENTRY = 53;
/** Former processes end within it. */
const SETTLED_MS = 3_000;

export async function proveLarge(entries: number): Promise<void> {
  test.after(stopAll);
  const programs = await whereAvailable(CRL_SERVERS.filter((each) => each !== HAPROXY_SWAP));
  for (const program of programs)
    test(`${program.title}: of a list with ${entries} entries, each is refused, and others are served`, async () => {
      const { ca, server, callOf, publish } = await crlStage(program);
      const [first, second, other] = [await ca.issue(), await ca.issue(), await ca.issue()];
      assert.is(await isServed(callOf(first)), true);
      await sleep(SETTLED_MS);
      const memory = [memoryOf(server.pid)];
      const refusedMs: number[] = [];
      // With the second list, the server holds the former one until its former processes end.
      for (const client of [first, second]) {
        const lists = await listsOf(ca.holders, { revoked: [client.serial], others: entries - 1 });
        const bytes = derOf(lists[0] ?? '').length;
        assert.ok(bytes < entries * MOST_BYTES_AN_ENTRY, `${bytes} bytes`);
        assert.is(await isServed(callOf(client)), true);
        const most = await memoryWhile(server.pid, async () => {
          const startMs = performance.now();
          await publish(lists);
          await eventually('the revoked client is refused', async () => !(await isServed(callOf(client))));
          refusedMs.push(performance.now() - startMs);
          await sleep(SETTLED_MS);
        });
        memory.push(most, memoryOf(server.pid));
        assert.is(await isServed(callOf(other)), true);
      }
      const [before, , after, most, later] = memory.map((size) => size.toFixed(0));
      console.log(
        `# ${program.title}, ${entries} entries: refused after ${refusedMs.map((ms) => ms.toFixed(0)).join(' and ')} ms; ` +
          `MB before ${before}, after ${after}, after a second list ${later}, meanwhile up to ${most}`,
      );
      await server.stop();
    });
}
