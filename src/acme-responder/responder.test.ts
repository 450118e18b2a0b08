import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop, stopAll } from '../../test/teardown.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { followAccounts } from './folder.ts';
import { serveResponder } from './responder.ts';

test.after(stopAll);

const THUMBPRINT = 'a'.repeat(43);
const ENTRY = JSON.stringify({ thumbprint: THUMBPRINT, since: '2026-01-01T00:00:00Z', selectors: [{}] });
const PREFIX = '/.well-known/acme-challenge/';

async function responder(entries: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-responder-'));
  onStop(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(entries)) writeFileSync(join(folder, name), content);
  // As the kubelet leaves behind.
  mkdirSync(join(folder, '..data'));
  const stopping = new AbortController();
  onStop(() => stopping.abort());
  const log = createLogger('error', 'json');
  const accounts = followAccounts(folder, { clock: systemClock, log, signal: stopping.signal });
  const server = await serveResponder({ host: '127.0.0.1', port: 0 }, accounts);
  onStop(server.close);
  const open = (): Socket => {
    const socket = connect(server.port, '127.0.0.1');
    onStop(() => socket.destroy());
    return socket.on('error', () => {});
  };
  const ask = async (path: string, { method = 'GET', host = 'example.com' } = {}) => {
    const socket = open();
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    // A request that is too long is answered, and then its connection is reset, which may overtake the answer.
    const answer = await text(socket).catch(() => 'reset 431');
    return {
      status: Number(answer.split(' ')[1]),
      head: answer.split('\r\n\r\n')[0],
      body: answer.split('\r\n\r\n')[1],
    };
  };
  const until = async (status: number) => {
    while ((await ask(`${PREFIX}token`)).status !== status) await sleep(50);
  };
  return { folder, ask, open, until };
}

test('a token is answered with its key authorization, and anything else with 404', async () => {
  const { ask, until } = await responder({ production: ENTRY });
  await until(200);
  const { status, head, body } = await ask(`${PREFIX}token_-1`);
  assert.is(status, 200);
  assert.is(body, `token_-1.${THUMBPRINT}`);
  assert.match(head ?? '', /content-type: application\/octet-stream/i);
  for (const path of ['/', PREFIX, `${PREFIX}a/b`, `${PREFIX}../x`, `${PREFIX}a?b`, `${PREFIX}a%0d%0ab`, '/metrics'])
    assert.is((await ask(path)).status, 404, path);
  assert.is((await ask(`${PREFIX}token`, { method: 'POST' })).status, 405);
  assert.is((await ask('/healthz')).status, 200);
});

test('accounts are read again, without those that are no accounts', async () => {
  const { folder, ask, until } = await responder({ broken: '{' });
  assert.is((await ask(`${PREFIX}token`)).status, 404);
  writeFileSync(join(folder, 'production'), ENTRY);
  await until(200);
  rmSync(join(folder, 'production'));
  await until(404);
});

test('paths and headers beyond all bounds are refused', async () => {
  const { ask } = await responder({ production: ENTRY });
  assert.ok([404, 414, 431].includes((await ask(`${PREFIX}${'a'.repeat(8_000)}`)).status));
  assert.ok([400, 431].includes((await ask(`${PREFIX}${'a'.repeat(100_000)}`)).status));
  assert.ok([400, 431].includes((await ask(`${PREFIX}token`, { host: 'a'.repeat(100_000) })).status));
});

test('connections that say nothing do not lock out the others', async () => {
  const { ask, open, until } = await responder({ production: ENTRY });
  await until(200);
  const silent = Array.from({ length: 400 }, open);
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  assert.is((await ask(`${PREFIX}token`)).status, 200);
  for (const socket of silent) socket.resume();
  const closed = silent
    .slice(0, 100)
    .map((socket) => socket.destroyed || new Promise((resolve) => socket.once('close', resolve)));
  await Promise.all(closed);
});

test.run();
