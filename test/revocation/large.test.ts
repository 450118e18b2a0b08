/** Lists of 1 MB. Longer ones are in large.long.test.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HAPROXY_SWAP } from './support/crl-servers.ts';
import { crlStage, isServed, whereAvailable } from './support/crl-stage.ts';
import { listsOf } from './support/lists.ts';
import { proveLarge } from './support/prove-large.ts';

await proveLarge(20_000);

for (const program of await whereAvailable([HAPROXY_SWAP]))
  test(`${program.title}: a list above tune.bufsize is refused, and the former one stays; a larger buffer takes it`, async () => {
    for (const [more, isTaken] of [
      [{}, false],
      [{ 'log stdout format raw local0 info': '\n  tune.bufsize 131072' }, true],
    ] as const) {
      const { ca, server, callOf, publish } = await crlStage(program, more);
      const client = await ca.issue();
      const lists = await listsOf(ca.holders, { revoked: [client.serial], others: 600 });
      const refusal = await publish(lists).then(
        () => undefined,
        (error: Error) => error,
      );
      assert.is(refusal === undefined, isTaken, refusal?.message ?? 'taken');
      assert.is(await isServed(callOf(client)), !isTaken);
      await server.stop();
    }
  });

test.run();
