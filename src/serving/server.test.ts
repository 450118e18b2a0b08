import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StartError } from '../start-error.ts';
import { type Pages, serve } from './server.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const PAGES: Pages = {
  '/ok': () => ({ type: 'text/plain', body: 'ok\n' }),
  '/later': async () => ({ type: 'text/x', body: 'not yet', status: 503 }),
  '/broken': () => {
    throw new Error('it broke');
  },
};

async function withServer(body: (origin: string, port: number) => Promise<void>): Promise<void> {
  const server = await serve('test', LOOPBACK, PAGES);
  try {
    await body(`http://127.0.0.1:${server.port}`, server.port);
  } finally {
    await server.close();
  }
}

test('a page is served with its type and status', async () => {
  await withServer(async (origin) => {
    const ok = await fetch(`${origin}/ok`);
    assert.equal([ok.status, ok.headers.get('content-type'), await ok.text()], [200, 'text/plain', 'ok\n']);
    const later = await fetch(`${origin}/later`);
    assert.equal([later.status, later.headers.get('content-type'), await later.text()], [503, 'text/x', 'not yet']);
  });
});

const REQUESTS: Record<string, [method: string, path: string, status: number]> = {
  'a query is no part of the path': ['GET', '/ok?verbose=1', 200],
  'HEAD is answered without a body': ['HEAD', '/ok', 200],
  'another path is not found': ['GET', '/other', 404],
  'the root is not found': ['GET', '/', 404],
  'what every object inherits is no page': ['GET', '/constructor', 404],
  'nothing can be written': ['POST', '/ok', 405],
  'nothing can be deleted': ['DELETE', '/ok', 405],
  'a page that throws is an error': ['GET', '/broken', 500],
};

for (const [sentence, [method, path, status]] of Object.entries(REQUESTS)) {
  test(sentence, async () => {
    await withServer(async (origin) => {
      const answer = await fetch(`${origin}${path}`, { method });
      assert.is(answer.status, status);
      if (method === 'HEAD') assert.is(await answer.text(), '');
      else await answer.arrayBuffer();
    });
  });
}

test('a request target that is no path is not found', async () => {
  await withServer(async (_origin, port) => {
    for (const target of ['*', 'http://other/constructor', '//constructor']) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(`OPTIONS ${target} HTTP/1.1\r\nHost: x\r\n\r\n`));
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
      assert.match(answer, /^HTTP\/1\.1 40[45]/, target);
    }
  });
});

test('a port that is in use is named in one line that says what to do', async () => {
  await withServer(async (_origin, port) => {
    try {
      await serve('metrics', { host: '127.0.0.1', port }, PAGES);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, StartError);
      assert.is(
        (error as Error).message,
        `the port of metrics, 127.0.0.1:${port}, is in use; choose another one, see --help`,
      );
    }
  });
});

test('an address that is not here is named in one line', async () => {
  try {
    await serve('metrics', { host: '192.0.2.1', port: 0 }, PAGES);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, StartError);
    assert.not((error as Error).message.includes('\n'));
  }
});

test('port -1 serves nothing', async () => {
  const server = await serve('metrics', { host: undefined, port: -1 }, PAGES);
  assert.is(server.port, -1);
  await server.close();
});

test('close ends connections that are kept open, and frees the port', async () => {
  const server = await serve('test', LOOPBACK, PAGES);
  await (await fetch(`http://127.0.0.1:${server.port}/ok`)).text();
  await server.close();
  const again = await serve('test', { ...LOOPBACK, port: server.port }, PAGES);
  assert.is(again.port, server.port);
  await again.close();
});

test.run();
