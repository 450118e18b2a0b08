import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { SERVER } from './authority.ts';
import { type Proof, refused } from './prove-server.ts';
import { answers } from './server-process.ts';
import { messageOf } from './stage.ts';

/** What a server does with a key that doesn't match its certificate, at its start and at a reload. */
export function proveMismatch({ reader, request, ca, content, stage }: Proof): void {
  const { title, mismatch } = reader;
  if (mismatch === 'not noticed') {
    test(`${title} loads a key that does not match its certificate, and fails in each handshake`, async () => {
      const [one, two] = [await ca().issue(SERVER), await ca().issue(SERVER)];
      const { server } = await stage({ ...one, key: two.key });
      const call = { port: server.port, ca: one.ca, client: await ca().issue() };
      assert.is(await refused(request, call), 'client: ERR_SSL_PROVIDER_SIGNATURE_FAILURE');
      await server.stop();
    });
    return;
  }
  test(`${title} does not load a key that does not match its certificate`, async () => {
    const [one, two] = [await ca().issue(SERVER), await ca().issue(SERVER)];
    const failure = await stage({ ...one, key: two.key }).then(() => undefined, messageOf);
    assert.match(failure ?? 'it started', mismatch);
    if (reader.reloads === undefined) return;
    const good = await stage(one);
    good.mount.swap(await content({ ...one, key: two.key }));
    await good.server.reload().catch(() => {});
    // Programs that poll their files do so each second.
    await sleep(3_000);
    if (reader.endsOnMismatch) {
      await eventually('it has ended', async () => !(await answers(good.server.port)));
      return;
    }
    const call = { port: good.server.port, ca: one.ca, client: await ca().issue() };
    if (reader.mismatchOnReload === undefined) {
      const answer = await request(call);
      assert.equal([answer.status, answer.serverSerial], [200, one.serial], 'it continues with the former files');
    } else assert.is(await refused(request, call), reader.mismatchOnReload);
    await good.server.stop();
  });
}
