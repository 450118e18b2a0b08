/** Servers that ask an OCSP responder about each client: who is refused, when, and what their settings change about that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { TLS_VERSIONS } from '../interop/support/cells.ts';
import { openConnection } from '../interop/support/http2.ts';
import type { Call } from '../interop/support/request.ts';
import { visit } from '../interop/support/sessions.ts';
import { underTraffic } from '../interop/support/traffic.ts';
import { stopAll } from '../teardown.ts';
import { isServed } from './support/crl-stage.ts';
import { GOOD, ocspServer, REVOKED } from './support/ocsp-server.ts';
import { ocspClients, ocspStage } from './support/ocsp-stage.ts';

test.after(stopAll);

const programs = await ocspClients();

for (const program of programs) {
  const { title } = program;
  const isNginx = title.startsWith('nginx');

  test(`${title}: a client is refused from the first answer on that calls it revoked, and no other request fails`, async () => {
    const { server, ocsp, client, stop } = await ocspStage(program, { more: program.noSessions });
    const [one, other] = [await client(), await client()];
    assert.is(await isServed(one.call), true, 'good');
    const { requests, failures } = await underTraffic(
      () => other.call,
      async () => {
        ocsp.statuses.set(one.credentials.serial, REVOKED);
        assert.is(await isServed(one.call), false, 'revoked');
      },
    );
    console.log(`# ${title}: ${requests} requests of another client`);
    assert.equal(failures, []);
    await eventually('the log names the reason', () => program.revoked.test(server.log()), 10_000);
    ocsp.statuses.delete(one.credentials.serial);
    assert.is(await isServed(one.call), false, 'never issued');
    await stop();
  });

  test(`${title}: no client is served while the responder is away`, async () => {
    const { ca, ocsp, client, stop } = await ocspStage(program);
    const { credentials, call } = await client();
    assert.is(await isServed(call), true);
    await ocsp.stop();
    assert.is(await isServed(call), false);
    const again = await ocspServer(ca.holders.slice(0, 1), { port: ocsp.port });
    again.statuses.set(credentials.serial, GOOD);
    await eventually('served again', () => isServed(call));
    await stop();
  });

  test(`${title}: asked about the whole chain, it needs a responder of the upper CA too; "leaf" needs none`, async () => {
    for (const which of ['on', 'leaf'] as const) {
      const { client, stop } = await ocspStage(program, { which });
      assert.is(await isServed((await client()).call), which === 'leaf', which);
      await stop();
    }
  });

  test(`${title}: a session of a revoked client is ${isNginx ? 'refused' : 'served'}, and its open connection is served`, async () => {
    const { ocsp, client, stop } = await ocspStage(program, { withIntermediates: true });
    const { credentials, call } = await client();
    const guests = await Promise.all(TLS_VERSIONS.map((tls) => withSession({ ...call, tls })));
    for (const guest of guests) {
      const { isServed: served, isResumed } = await visit(guest);
      assert.equal([served, isResumed], [true, true], guest.tls);
    }
    const connection = await openConnection(call);
    assert.is((await connection.get('/')).status, 200);
    ocsp.statuses.set(credentials.serial, REVOKED);
    assert.is(await isServed(call), false);
    for (const guest of guests) assert.is((await visit(guest)).isServed, !isNginx, guest.tls);
    assert.is((await connection.get('/')).status, 200);
    await stop();
  });

  test(`${title}: without sessions, a client that comes back with one is refused once it is revoked`, async () => {
    const { ocsp, client, stop } = await ocspStage(program, { more: program.noSessions });
    const { credentials, call } = await client();
    const guests = await Promise.all(TLS_VERSIONS.map((tls) => withSession({ ...call, tls })));
    for (const guest of guests) assert.is((await visit(guest)).isServed, true, guest.tls);
    ocsp.statuses.set(credentials.serial, REVOKED);
    for (const guest of guests) assert.is((await visit(guest)).isServed, false, guest.tls);
    await stop();
  });
}

for (const program of programs.filter(({ title }) => title.startsWith('nginx'))) {
  const { title } = program;

  test(`${title}: with the root alone in its file of CAs, it fails resumed handshakes of good clients below an intermediate`, async () => {
    for (const withIntermediates of [false, true]) {
      const { client, stop } = await ocspStage(program, { withIntermediates });
      const guest = await withSession((await client()).call);
      assert.is((await visit(guest)).isServed, withIntermediates);
      await stop();
    }
  });

  test(`${title}: ssl_ocsp_cache serves a revoked client until the former answer ends`, async () => {
    const { ocsp, client, stop } = await ocspStage(program, {
      more: `${program.noSessions} ssl_ocsp_cache shared:ocsp:1m;`,
      validMs: 4_000,
    });
    const { credentials, call } = await client();
    assert.is(await isServed(call), true);
    const asked = ocsp.requests();
    ocsp.statuses.set(credentials.serial, REVOKED);
    assert.is(await isServed(call), true, 'from the cache');
    assert.is(ocsp.requests(), asked);
    await eventually('refused after the end of the answer', async () => !(await isServed(call)), 10_000);
    await stop();
  });
}

for (const program of programs)
  test(`${program.title}: below two intermediates, ${program.title.startsWith('nginx') ? 'the root alone is enough' : 'its file of CAs must hold them'}`, async () => {
    for (const withIntermediates of [false, true]) {
      const { client, stop } = await ocspStage(program, { chain: 3, withIntermediates });
      assert.is(await isServed((await client()).call), withIntermediates || program.title.startsWith('nginx'));
      await stop();
    }
  });

/** After a first visit, with the session that it was given. */
async function withSession(call: Call): Promise<Call> {
  const { session } = await visit(call);
  return { ...call, session };
}

test.run();
