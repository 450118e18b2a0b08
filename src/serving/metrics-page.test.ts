import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../test/e2e/support/eventually.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import { atMost, metricsPage } from './metrics-page.ts';
import { Rendering } from './rendering.ts';
import { serve } from './server.ts';

test.after(stopAll);

const TEXT = 'certwheel_leader 1\n'.repeat(2_000_000);

async function port(most: number): Promise<{ readonly url: string; readonly port: number }> {
  const rendering = new Rendering(Buffer.from(TEXT));
  const page = atMost(
    most,
    metricsPage('text/plain; version=0.0.4', async () => rendering),
  );
  const server = await serve('test', { host: '127.0.0.1', port: 0 }, { '/metrics': page });
  onStop(server.close);
  return { url: `http://127.0.0.1:${server.port}/metrics`, port: server.port };
}

// undici's request() neither sends Accept-Encoding by itself nor decompresses, as fetch does.
async function scrape(url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const { statusCode, headers: got, body } = await request(url, { headers, method });
  return { status: statusCode, headers: got, bytes: Buffer.from(await body.arrayBuffer()) };
}

test('metrics are compressed where the request accepts gzip', async () => {
  const { url } = await port(4);
  const plain = await scrape(url);
  assert.is(plain.bytes.toString(), TEXT);
  assert.is(plain.headers['content-encoding'], undefined);
  const small = await scrape(url, { 'accept-encoding': 'gzip' });
  assert.is(small.headers['content-encoding'], 'gzip');
  assert.is(gunzipSync(small.bytes).toString(), TEXT);
  for (const { headers, bytes } of [plain, small]) {
    assert.is(headers['content-type'], 'text/plain; version=0.0.4');
    assert.is(headers.vary, 'accept-encoding');
    assert.is(headers['content-length'], `${bytes.length}`);
  }
});

test('HEAD is answered with the length alone', async () => {
  const { url } = await port(4);
  const { status, headers, bytes } = await scrape(url, {}, 'HEAD');
  assert.equal([status, headers['content-length'], bytes.length], [200, `${TEXT.length}`, 0]);
});

test('clients that do not read take the places that there are, and free them when they disconnect', async () => {
  const { url, port: number } = await port(6);
  const readers = [1, 2].map(() => {
    const socket = connect(number, '127.0.0.1').on('error', () => {});
    onStop(() => socket.destroy());
    // Pipelined: each of these requests takes a place, though only the first is being answered.
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    return socket;
  });
  const refused = await eventually('all places are taken', async () => {
    const answer = await scrape(url);
    return answer.status === 503 && answer;
  });
  assert.is(refused.headers['retry-after'], '1');
  assert.is(refused.bytes.toString(), '6 scrapes are in progress already; try again in a second\n');
  for (const socket of readers) socket.destroy();
  await eventually('a place is free', async () => (await scrape(url)).status === 200);
});

test('a client that disconnects before it has a place leaves none taken', async () => {
  const page = atMost(1, () => ({ type: 'text/plain', body: 'served' }));
  const reviewed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<Socket>();
  const server = await serve(
    'test',
    { host: '127.0.0.1', port: 0 },
    {
      '/first': async (request, response) => {
        asked.resolve(request.socket);
        await reviewed.promise;
        return page(request, response);
      },
      '/next': page,
    },
  );
  onStop(server.close);
  const url = `http://127.0.0.1:${server.port}`;
  const client = connect(server.port, '127.0.0.1').on('error', () => {});
  client.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
  const gone = once(await asked.promise, 'close');
  client.destroy();
  await gone;
  reviewed.resolve();
  await new Promise(setImmediate);
  assert.is((await scrape(`${url}/next`)).bytes.toString(), 'served');
});

test.run();
