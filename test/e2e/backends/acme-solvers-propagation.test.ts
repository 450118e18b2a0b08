import { createServer, connect as dial } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RCODE } from '../../../src/backends/acme/solvers/dns/message.ts';
import { freePort } from '../../cluster/ports.ts';
import { available, unavailable } from '../../interop/support/available.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { challengeOf, KEYS, rfc2136, solverFor } from './acme-dns-world.ts';
import { bindPrograms, startBind } from './servers/bind.ts';

test.after(stopAll);

const { signal } = new AbortController();
const programs = await available('BIND', () => bindPrograms().catch(unavailable));

if (programs !== undefined) {
  const secondaryPort = await freePort();
  const policy = ['grant certwheel zonesub TXT'];
  const primary = await startBind(programs, {
    keys: Object.values(KEYS),
    zones: [
      { name: 'told.test', policy, options: `also-notify { 127.0.0.1 port ${secondaryPort}; };` },
      { name: 'untold.test', policy },
    ],
  });
  onStop(primary.stop);
  const secondary = await startBind(programs, {
    port: secondaryPort,
    zones: [
      { name: 'told.test', primaryPort: primary.port },
      { name: 'untold.test', primaryPort: primary.port },
    ],
  });
  onStop(secondary.stop);
  const solver = (timeout: string, port = primary.port) =>
    solverFor({
      dns01: {
        rfc2136: rfc2136(port),
        propagation: { nameservers: [`127.0.0.1:${primary.port}`, `127.0.0.1:${secondary.port}`], timeout },
      },
    });

  test('a challenge is present once the secondary server answers it too', async () => {
    const mine = challengeOf('www.told.test');
    await solver('20s').present(mine, signal);
    assert.equal(await secondary.dig('_acme-challenge.www.told.test', 'TXT'), [`"${mine.value}"`]);
  });

  test('a server that does not answer the record in time is named', async () => {
    const mine = challengeOf('www.untold.test');
    let message = '';
    await solver('2s')
      .present(mine, signal)
      .catch((error: Error) => {
        message = error.message;
      });
    assert.match(
      message,
      `not everywhere yet after 2 s: 127.0.0.1:${secondary.port} (without the record); see whether`,
    );
    assert.equal(await primary.dig('_acme-challenge.www.untold.test', 'TXT'), [`"${mine.value}"`]);
  });

  test('waiting ends with the signal', async () => {
    const stopping = new AbortController();
    const waiting = solver('2m').present(challengeOf('stop.untold.test'), stopping.signal);
    setTimeout(() => stopping.abort(new Error('shutting down')), 500);
    const why = await waiting.then(
      () => '',
      (error: unknown) => String(error),
    );
    assert.not.match(why, 'not everywhere yet', 'it did not wait for its own end');
    assert.not.equal(why, '');
  });

  test('a name server of the zone that can not be reached is left out', async () => {
    // The NS record leads to port 53 of this host, where nothing listens.
    const mine = challengeOf('ns.untold.test');
    await solverFor({ dns01: { rfc2136: rfc2136(primary.port), propagation: { timeout: '15s' } } }).present(
      mine,
      signal,
    );
    assert.equal(await primary.dig('_acme-challenge.ns.untold.test', 'TXT'), [`"${mine.value}"`]);
  });

  /** A proxy in front of named that changes its answers to updates. */
  async function forging(change: (answer: Buffer) => Buffer): Promise<number> {
    const server = createServer((client) => {
      const behind = dial(primary.port, '127.0.0.1');
      client.pipe(behind);
      behind.on('data', (framed) => {
        const message = framed.subarray(2);
        const isUpdate = ((message[2] ?? 0) >> 3) % 16 === 5;
        const answer = isUpdate ? change(Buffer.from(message)) : message;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        client.end(Buffer.concat([length, answer]));
      });
      for (const socket of [client, behind]) socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onStop(() => server.close());
    return (server.address() as { port: number }).port;
  }

  const unsigned = (rcode: number) => (answer: Buffer) => {
    // The header alone: no section has a record.
    const bare = Buffer.from(answer.subarray(0, 12));
    bare.fill(0, 4);
    bare[3] = rcode;
    return bare;
  };
  for (const [what, change, message] of [
    ['an unsigned success', unsigned(RCODE.NOERROR), /says that it has made the update, but its answer is not signed/],
    ['an unsigned refusal', unsigned(RCODE.REFUSED), /REFUSED/],
    [
      'a refusal turned into a success',
      (answer: Buffer) => {
        answer[3] = (answer[3] ?? 0) & 0xf0;
        return answer;
      },
      /not of a server that has the key: its signature is wrong/,
    ],
    [
      'an answer to another request',
      (answer: Buffer) => {
        answer.writeUInt16BE((answer.readUInt16BE(0) + 1) % 65_536, 0);
        return answer;
      },
      /is to another request/,
    ],
    ['an answer that is cut short', (answer: Buffer) => answer.subarray(0, answer.length - 5), /the answer/],
  ] as const) {
    test(`${what} is not believed`, async () => {
      const port = await forging(change);
      // `refused.test` is in no zone that may be updated, so that the true answer is a refusal.
      const zone = what.includes('turned') ? { zone: 'refused.test' } : {};
      const domain = what.includes('turned') ? 'www.refused.test' : 'www.untold.test';
      const spec = { dns01: { rfc2136: rfc2136(port, zone), propagation: { timeout: '1s' } } };
      let said = '';
      await solverFor(spec)
        .present(challengeOf(domain), signal)
        .catch((error: Error) => {
          said = error.message;
        });
      assert.match(said, message);
    });
  }
}

test.run();
