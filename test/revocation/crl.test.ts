/** Servers with revocation lists: a revoked client is refused in time, and no other one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { authority } from '../interop/support/authority.ts';
import { underTraffic } from '../interop/support/traffic.ts';
import { stopAll } from '../teardown.ts';
import { CRL_SERVERS, HAPROXY_SWAP, POSTGRESQL } from './support/crl-servers.ts';
import { crlStage, isServed, REFUSED_WITHIN_MS, whereAvailable } from './support/crl-stage.ts';
import { listsOf } from './support/lists.ts';

test.after(stopAll);

for (const program of await whereAvailable([...CRL_SERVERS, POSTGRESQL])) {
  const { title, ask } = program;

  test(`${title}: a revoked client is refused, and no request of another client fails meanwhile`, async () => {
    // A root that signs leaves, as Certwheel makes it: one list is enough.
    const { ca, server, callOf, revoke } = await crlStage(program, {}, 1);
    const [client, other] = [await ca.issue(), await ca.issue()];
    assert.is(await isServed(callOf(client), ask), true, 'before the list');
    let tookMs = Number.NaN;
    const { requests, failures } = await underTraffic(
      () => callOf(other),
      async () => {
        tookMs = await revoke(client);
      },
      ask,
    );
    console.log(
      `# ${title}: refused ${tookMs.toFixed(0)} ms after the list was written; ${requests} requests of another client`,
    );
    assert.ok(tookMs < REFUSED_WITHIN_MS, `${tookMs} ms`);
    assert.equal(failures, []);
    await eventually('the log names the reason', () => program.revoked.test(server.log()), 10_000);
    await server.stop();
  });
}

for (const program of await whereAvailable(CRL_SERVERS.filter((each) => each !== HAPROXY_SWAP)))
  test(`${program.title}: during a CA rotation clients of the next CA are refused until its list is there, and no others`, async () => {
    const { ca, server, callOf, publish } = await crlStage(program, {}, 1);
    const next = await authority(1, 'Next CA');
    const [former, later] = [callOf(await ca.issue()), callOf(await next.issue())];
    const [own, ofNext] = [await listsOf(ca.holders), await listsOf(next.holders)];
    const { failures } = await underTraffic(
      () => former,
      async () => {
        await publish(own, ca.ca + next.ca);
        await eventually('refused, since there is no list', async () => {
          assert.is(await isServed(later), false);
          return program.noList.test(server.log());
        });
        await publish([...own, ...ofNext], ca.ca + next.ca);
        await eventually('served with its list', () => isServed(later));
      },
    );
    assert.equal(failures, []);
    await server.stop();
  });

test.run();
