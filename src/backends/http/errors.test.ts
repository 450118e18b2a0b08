import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { AddressRefused } from './address.ts';
import { AuthorityHttp } from './client.ts';
import { noAnswer } from './errors.ts';

const BROKEN = 'the connection was broken off';

/** As Node and undici put it, each at another moment of a connection. */
const BREAKS: readonly [code: string, message: string][] = [
  ['ECONNRESET', 'read ECONNRESET'],
  ['ECONNRESET', 'connect ECONNRESET 127.0.0.1:8200'],
  ['ECONNRESET', 'Client network socket disconnected before secure TLS connection was established'],
  ['EPIPE', 'write EPIPE'],
  ['UND_ERR_SOCKET', 'other side closed'],
];

test('a connection that breaks has the same message whenever it does, so that a status stays as it is', () => {
  const told = BREAKS.map(([code, message]) => {
    const { message: said, code: reason } = noAnswer(Object.assign(new Error(message), { code }), 'https://ca');
    return `${reason}: ${said}`;
  });
  assert.is(new Set(told).size, 1);
  assert.match(told[0] ?? '', `AuthorityUnreachable: https://ca can't be reached: ${BROKEN}`);
});

const ENDS: Readonly<Record<string, (socket: Socket) => void>> = {
  reset: (socket) => socket.resetAndDestroy(),
  closed: (socket) => socket.end(),
  'closed once something was said': (socket) => socket.once('data', () => socket.destroy()),
};

for (const [name, end] of Object.entries(ENDS))
  test(`a real connection that is ${name} is one that was broken off`, async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      end(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
    const http = new AuthorityHttp({ server: url, namespace: 'team', rules: { loopback: true }, clock });
    try {
      const asking = http.json({ method: 'GET', path: '/' }, new AbortController().signal);
      const error = await asking.catch((thrown: unknown) => thrown);
      assert.match((error as Error).message, BROKEN);
    } finally {
      server.close();
    }
  });

test('whatever a server does on its side of a connection is unproven, and a name that leads nowhere is not', () => {
  const told = (code: string) => noAnswer(Object.assign(new Error(code), { code }), 'https://ca');
  for (const code of [
    ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'],
    ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'HPE_INVALID_CONSTANT', 'EACCES'],
    ...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO', ''],
  ])
    assert.ok(told(code).unproven, code);
  assert.ok(noAnswer(new DOMException('late', 'TimeoutError'), 'https://ca').unproven);
  assert.ok(noAnswer(new DOMException('enough', 'AbortError'), 'https://ca').unproven);
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) assert.not.ok(told(code).unproven, code);
  assert.not.ok(noAnswer(new AddressRefused('no'), 'https://ca').unproven);
});

test.run();
