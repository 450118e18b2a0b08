import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../../test/cluster/certificates.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { CertwheelError } from '../../errors.ts';
import { AuthorityHttp } from './client.ts';
import type { JsonAnswer, JsonRequest } from './json.ts';

// A server that is trusted and means harm: it writes what it likes, as bytes.

const issuer = createIssuer('CA of servers');
const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
const GET: JsonRequest = { method: 'GET', path: '/v1/x' };
const SECRET = 'hvs.0b7e0a3c7c57';

type Attack = (socket: TLSSocket, request: string) => void;

/** What comes of one request to a server that does this to every connection, and how often it was asked. */
async function under(attack: Attack, request: JsonRequest = GET, patienceMs = 60_000) {
  let asked = 0;
  const server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      asked += 1;
      attack(socket, String(data));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const http = new AuthorityHttp({
    server: url,
    caBundle: issuer.certificatePem,
    rules: { loopback: true },
    namespace: 'ns',
    clock,
  });
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const outcome = await http.json(request, signal).catch((error: unknown) => error);
    return { outcome: outcome as JsonAnswer | CertwheelError, asked };
  } finally {
    server.close();
  }
}

const answer = (status: number, body: string | Buffer, headers: readonly string[] = []) =>
  Buffer.concat([
    Buffer.from(
      [`HTTP/1.1 ${status} x`, `content-length: ${body.length}`, 'connection: close', ...headers, '', ''].join('\r\n'),
    ),
    Buffer.from(body),
  ]);

function pour(socket: TLSSocket, piece: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'headers without end': (socket) => {
    socket.write('HTTP/1.1 200 x\r\n');
    pour(socket, `a${'b'.repeat(100)}: ${'c'.repeat(1_000)}\r\n`);
  },
  'one header without end': (socket) => {
    socket.write('HTTP/1.1 200 x\r\na: ');
    pour(socket, 'b'.repeat(10_000));
  },
  'interim answers without end': (socket) => pour(socket, 'HTTP/1.1 102 x\r\n\r\n'),
  'early hints without end': (socket) => pour(socket, 'HTTP/1.1 103 x\r\nlink: </a>\r\n\r\n'),
  'chunks without end': (socket) => {
    socket.write('HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n');
    pour(socket, `1000\r\n${' '.repeat(4_096)}\r\n`);
  },
  'a status line without end': (socket) => pour(socket, 'HTTP/1.1 200 xxxxxxxxxxxxxxxxxxxxxxxx'),
  'another protocol': (socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'),
  'another protocol, after it was asked to change': (socket) =>
    socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
  'a body shorter than announced': (socket) => socket.end('HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\n{}'),
  'two lengths': (socket) => socket.end('HTTP/1.1 200 x\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\n{}xyz'),
  nothing: () => {},
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  test(`${what}: given up in time, with a word on it, and asked once`, async () => {
    const before = process.memoryUsage().rss;
    // Some of them end with nothing but this.
    const { outcome, asked } = await under(attack, GET, 3_000);
    assert.instance(outcome, CertwheelError);
    assert.match((outcome as CertwheelError).message, 'https://127.0.0.1:');
    assert.ok(asked <= 1, `asked ${asked} times`);
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grownMiB < 100, `${grownMiB} MiB more`);
  });
}

test('a compressed answer is not decompressed', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, ' '));
  const { outcome } = await under((socket) => socket.end(answer(200, bomb, ['content-encoding: gzip'])));
  assert.match((outcome as CertwheelError).message, 'no JSON');
});

test('JSON of any depth and with any names is only data', async () => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  for (const body of [
    `{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "errors": ["no"]}`,
    `{"errors": ${deep}, "message": "no"}`,
    `{"errors": {"length": 1e9}, "message": "no"}`,
    `{"error": "no", "detail": 5}`,
  ]) {
    const { outcome } = await under((socket) => socket.end(answer(400, body)));
    assert.is(outcome.message, 'no');
    assert.is(({} as { polluted?: boolean }).polluted, undefined);
  }
  const { outcome } = await under((socket) => socket.end(answer(200, deep)));
  assert.is((outcome as JsonAnswer).status, 200);
});

test('a secret that the server quotes is not shown, nor the control characters that it adds', async () => {
  const echo: Attack = (socket, request) => {
    const token = /x-vault-token: (\S+)/.exec(request)?.[1] ?? '';
    const said = `token ${token} of ${token.toUpperCase()} \u001b[2J refused`;
    socket.end(answer(403, JSON.stringify({ errors: [said, 'A'.repeat(5_000), token] })));
  };
  const { outcome } = await under(echo, { ...GET, headers: { 'x-vault-token': SECRET }, secrets: [SECRET] });
  assert.match(outcome.message, 'token […] of ');
  assert.not.match(outcome.message, SECRET);
  assert.not.match(outcome.message, /\p{Cc}/u);
  assert.ok(outcome.message.length <= 1_024);
});

test('a header that would be two is none', async () => {
  const split = { ...GET, headers: { 'x-vault-namespace': 'a\r\nx-vault-token: b' } };
  const { outcome, asked } = await under((socket) => socket.end(answer(200, '{}')), split);
  assert.instance(outcome, CertwheelError);
  assert.is(asked, 0);
});

test('a path that would be two requests is none', async () => {
  const split = { ...GET, path: '/v1/x HTTP/1.1\r\nhost: a\r\n\r\nGET /v1/y' };
  const { outcome, asked } = await under((socket) => socket.end(answer(200, '{}')), split);
  assert.instance(outcome, CertwheelError);
  assert.is(asked, 0);
});

test.run();
