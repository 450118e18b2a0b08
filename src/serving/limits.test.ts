import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer } from '../../test/cluster/certificates.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import { systemClock } from '../clock.ts';
import { type Limits, type Pages, serve } from './server.ts';
import { followTlsFiles, type ServerTls } from './tls.ts';

// Each test waits until the server closes a connection. Without the limit under test that would take ten minutes.
test.after(stopAll);

const LONG_MS = 600_000;
const NONE: Limits = { connections: 1_000, requestMs: LONG_MS, idleMs: LONG_MS, responseMs: LONG_MS };
/** More than the kernel buffers for a client that doesn't read. */
const LARGE = Buffer.alloc(64 * 2 ** 20, 'metrics ');
const issuer = createIssuer('CA of servers');

const noTls = async () => undefined;
const withTls = async (): Promise<ServerTls> => {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-limits-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const { certificatePem, keyPem } = issueServer(issuer, ['127.0.0.1']);
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  writeFileSync(certFile, certificatePem);
  writeFileSync(keyFile, keyPem);
  const stopping = new AbortController();
  onStop(() => stopping.abort());
  return followTlsFiles({ certFile, keyFile }, { clock: systemClock, log: console, signal: stopping.signal });
};

for (const [name, tlsOf] of Object.entries({ HTTP: noTls, HTTPS: withTls })) {
  /** A port with these limits; `asked` collects the requests for its large page. */
  const scene = async (limits: Partial<Limits>) => {
    const asked: IncomingMessage[] = [];
    const pages: Pages = {
      '/large': (request) => {
        asked.push(request);
        return { type: 'text/plain', body: LARGE };
      },
      '/small': () => ({ type: 'text/plain', body: 'small' }),
    };
    const tls = await tlsOf();
    const server = await serve('test', { host: '127.0.0.1', port: 0 }, pages, { tls, limits: { ...NONE, ...limits } });
    onStop(server.close);
    const open = (): Socket => {
      const to = { host: '127.0.0.1', port: server.port };
      const socket = tls === undefined ? connect(to) : connectTls({ ...to, ca: issuer.certificatePem });
      onStop(() => socket.destroy());
      return socket.on('error', () => {});
    };
    const ask = (path: string) => {
      const socket = open();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      return socket;
    };
    return { asked, open, ask };
  };
  const untilClosed = (socket: Socket) =>
    socket.destroyed ? undefined : new Promise((resolve) => socket.once('close', resolve));

  test(`${name}: a large response arrives whole`, async () => {
    const { ask } = await scene({});
    const answer = await text(ask('/large'));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.is(answer.slice(answer.indexOf('\r\n\r\n') + 4).length, LARGE.length);
  });

  for (const limit of ['idleMs', 'responseMs'] as const) {
    test(`${name}: a client that does not read its response is cut off (${limit})`, async () => {
      const { asked, ask } = await scene({ [limit]: 500 });
      const socket = ask('/large');
      while (asked[0] === undefined) await new Promise(setImmediate);
      await untilClosed(asked[0].socket);
      assert.ok((await text(socket)).length < LARGE.length);
    });
  }

  test(`${name}: a connection without a request, or with half of one, is closed`, async () => {
    const { open } = await scene({ requestMs: 500 });
    const silent = open();
    const slow = open();
    slow.write('GET /small HTTP/1.1\r\nHost: x\r\n');
    for (const socket of [silent, slow]) socket.resume();
    await Promise.all([untilClosed(silent), untilClosed(slow)]);
  });

  test(`${name}: one connection too many closes the oldest`, async () => {
    const { ask, open } = await scene({ connections: 2 });
    const held = [open(), open()];
    for (const socket of held) socket.resume();
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    assert.match(await text(ask('/small')), /small$/);
    await untilClosed(held[0] as Socket);
    assert.is(held[1]?.destroyed, false);
  });
}

test.run();
