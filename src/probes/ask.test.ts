/** What one question to a real TLS server is answered with. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecureVersion } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer } from '../../test/cluster/certificates.ts';
import { freePort } from '../../test/cluster/ports.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import {
  asking,
  generation,
  HTTP,
  leafOf,
  listening,
  nodeServer,
  rogueOf,
  SERVER_PAIR,
  serverCA,
  TLS,
} from '../../test/unit/probed.ts';
import { ServerTrust } from './server-trust.ts';

test.after(stopAll);

const ours = await generation('Ours v1');
const next = await generation('Ours v2', 2);
const leaf = await leafOf(ours);
const rogue = await rogueOf(ours);
const trusting = (pem: string | undefined) => ({ serverTrust: new ServerTrust(pem) });
const caNames = (names: readonly Buffer[] | undefined) => names?.map((each) => each.toString('hex'));

/** OpenSSL's own server. It requires a certificate (-Verify) and ends the handshake where that isn't good. */
async function opensslServer(version: string, ...more: string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-probe-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const port = await freePort();
  const files = ['-cert', file('cert', SERVER_PAIR.certificatePem), '-key', file('key', SERVER_PAIR.keyPem)];
  const clients = ['-CAfile', file('ca', ours.path.certificate.pem), '-Verify', '3', '-verify_return_error'];
  const server = spawn('openssl', ['s_server', '-accept', `${port}`, '-www', version, ...files, ...clients, ...more]);
  onStop(() => server.kill());
  let isReady = false;
  server.stdout.on('data', (chunk: Buffer) => (isReady ||= chunk.includes('ACCEPT')));
  for (let tries = 0; !isReady && tries < 100; tries++) await delay(50);
  assert.ok(isReady, 'openssl s_server does not start');
  return port;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as SecureVersion[]) {
  const only = { minVersion: version, maxVersion: version };
  for (const protocol of [TLS, HTTP]) {
    test(`${version}, ${protocol.is}: a leaf of a trusted CA is accepted, a rogue and one of the next CA are rejected`, async () => {
      const port = await nodeServer({ ...only, ca: ours.path.certificate.pem });
      const accepted = await asking(port, leaf, protocol);
      assert.is(accepted.outcome, 'Accepted', accepted.seen);
      assert.ok(accepted.serverNotAfter && accepted.serverNotAfter > new Date());
      for (const bad of [rogue, await leafOf(next)]) {
        // Node ends the connection itself after the handshake, without an alert.
        const { outcome, seen } = await asking(port, bad, protocol);
        assert.ok(outcome === 'Rejected' || outcome === 'Closed', `${outcome}: ${seen}`);
      }
    });
  }

  test(`${version}: OpenSSL's server says by an alert that it does not trust the CA`, async () => {
    const port = await opensslServer(version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');
    for (const protocol of [TLS, HTTP]) {
      const bad = await asking(port, rogue, protocol);
      assert.is(bad.outcome, 'Rejected', `${protocol.is}: ${bad.seen}`);
      assert.match(bad.seen, /^alert /);
      const good = await asking(port, leaf, protocol);
      assert.is(good.outcome, 'Accepted', good.seen);
    }
  });

  test(`${version}: the CA names that the server asks for are read`, async () => {
    const names = `${ours.path.certificate.pem}${next.path.certificate.pem}`;
    const port = await nodeServer({ ...only, ca: names });
    const { demand } = await asking(port, leaf, HTTP);
    assert.is(demand?.asksFor, 'certificate');
    assert.equal(
      caNames(demand?.asksFor === 'certificate' ? demand.caNames : undefined)?.sort(),
      [ours, next].map(({ path }) => path.certificate.subjectDer.toString('hex')).sort(),
    );
  });

  test(`${version}: a server that asks for no certificate is known for one`, async () => {
    const { outcome, demand } = await asking(await nodeServer({ ...only, requestCert: false }), rogue, HTTP);
    assert.is(outcome, 'Accepted');
    assert.equal(demand, { asksFor: 'nothing' });
  });
}

for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
  test(`the CA names are read under ${suite}, and after a HelloRetryRequest`, async () => {
    const port = await opensslServer('-tls1_3', '-ciphersuites', suite, '-groups', 'P-521');
    const { outcome, demand } = await asking(port, leaf, HTTP);
    assert.is(outcome, 'Accepted');
    assert.equal(caNames(demand?.asksFor === 'certificate' ? demand.caNames : undefined), [
      ours.path.certificate.subjectDer.toString('hex'),
    ]);
  });
}

test('no session is resumed: the same server asks for the certificate each time', async () => {
  const port = await nodeServer({ ca: ours.path.certificate.pem });
  for (let time = 0; time < 3; time++) {
    assert.is((await asking(port, leaf, HTTP)).outcome, 'Accepted');
    assert.is.not((await asking(port, rogue, HTTP)).outcome, 'Accepted');
  }
});

test('the status decides: one that refuses, and one that says nothing', async () => {
  const ca = ours.path.certificate.pem;
  const refused = await asking(await nodeServer({ ca }, 'HTTP/1.1 400 Bad Request\r\n\r\n'), leaf, HTTP);
  assert.equal([refused.outcome, refused.seen], ['Rejected', 'HTTP 400']);
  const other = await asking(await nodeServer({ ca }, 'HTTP/1.1 503 Service Unavailable\r\n\r\n'), leaf, HTTP);
  assert.is(other.outcome, 'Unknown');
  assert.match(other.seen, 'HTTP 503, which is neither');
  const strange = await asking(await nodeServer({ ca }, '220 smtp\r\n'), leaf, HTTP);
  assert.equal([strange.outcome, strange.seen], ['Unknown', 'no HTTP/1.1 answer']);
});

test('a server that pours tickets is left before the time is over', async () => {
  const port = await opensslServer('-tls1_3', '-num_tickets', '1000000');
  const { outcome, seen, seconds } = await asking(port, leaf, HTTP);
  assert.equal([outcome, seen], ['Unknown', 'it sends more than a handshake and an answer']);
  assert.ok(seconds < 9, `${seconds} s`);
});

test('the CA certificates of servers are read once for each certificate that a round shows', async () => {
  const port = await nodeServer({ ca: ours.path.certificate.pem });
  const { serverTrust } = trusting(serverCA.certificatePem);
  for (let times = 0; times < 2; times++) {
    assert.is((await asking(port, leaf, HTTP, { serverTrust })).outcome, 'Accepted');
    assert.is.not((await asking(port, rogue, HTTP, { serverTrust })).outcome, 'Accepted');
  }
  assert.is(serverTrust.showing(leaf), serverTrust.showing(leaf));
  assert.is.not(serverTrust.showing(leaf), serverTrust.showing(rogue));
});

test('a server whose own certificate is not trusted, or is for another name, answers nothing that counts', async () => {
  const port = await nodeServer({ ca: ours.path.certificate.pem });
  const foreign = createIssuer('CA of servers').certificatePem;
  for (const more of [trusting(foreign), trusting(undefined), { serverName: 'other.example' }]) {
    const { outcome, seen, serverNotAfter } = await asking(port, leaf, HTTP, more);
    assert.is(outcome, 'Unknown', seen);
    assert.match(seen, 'the certificate of the server is not trusted');
    assert.is(serverNotAfter, undefined);
  }
});

for (const [version, outcome] of [
  ['-tls1_2', 'Rejected'],
  ['-tls1_3', 'Unknown'],
] as const) {
  test(`a server that is not trusted and refuses the certificate by an alert: ${outcome} with ${version}`, async () => {
    const more = trusting(createIssuer('CA of servers').certificatePem);
    const port = await opensslServer(version);
    const refused = await asking(port, rogue, HTTP, more);
    assert.is(refused.outcome, outcome, refused.seen);
    assert.is((await asking(port, leaf, HTTP, more)).outcome, 'Unknown', 'an acceptance needs a trusted server');
  });
}

test('what is no TLS server, refuses the connection, or ends it at once, is unknown', async () => {
  const closed = await freePort();
  assert.equal((await asking(closed, leaf, HTTP)).seen, 'connection refused');
  const plain = await listening(
    createPlainServer((socket) =>
      socket
        .resume()
        .on('error', () => {})
        .end('SSH-2.0-x\r\n'),
    ),
  );
  const ending = await listening(
    createPlainServer((socket) =>
      socket
        .resume()
        .on('error', () => {})
        .end(),
    ),
  );
  const resetting = await listening(createPlainServer((socket) => socket.on('error', () => {}).resetAndDestroy()));
  for (const port of [plain, ending, resetting]) {
    const { outcome, seen } = await asking(port, leaf, HTTP);
    assert.is(outcome, 'Unknown', seen);
  }
});

test('a server that never answers is given up', async () => {
  const port = await listening(createPlainServer((socket) => socket.resume().on('error', () => {})));
  const { outcome, seen, seconds } = await asking(port, leaf, TLS);
  assert.equal([outcome, seen], ['Unknown', 'no TLS handshake']);
  assert.ok(seconds >= 9 && seconds < 13, `${seconds}`);
});

test('a CA bundle that is none is unknown, and breaks nothing', async () => {
  const port = await nodeServer({ ca: ours.path.certificate.pem });
  assert.is((await asking(port, leaf, HTTP, trusting('nonsense'))).outcome, 'Unknown');
  assert.is((await asking(port, leaf, HTTP, trusting(serverCA.certificatePem))).outcome, 'Accepted');
});

test.run();
