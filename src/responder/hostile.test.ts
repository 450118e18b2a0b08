/** What no client sends unless it means harm; after each the responder answers openssl as before. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opensslFile } from '../../test/pki/openssl.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import {
  ca,
  crlOf,
  issued,
  ocspKeyOf,
  ocspVerdict,
  PLACE,
  responderOf,
  revoked,
} from '../../test/unit/responder-world.ts';
import { MOST_REQUEST_BYTES } from '../pki/ocsp-request.ts';

test.after(stopAll);

const seed = randomBytes(4).readUInt32BE() & 0x7fffffff;
console.log(`# seed ${seed}`);
const [good, bad] = [await issued(), await issued()];
const { url, port, ask } = await responderOf({ crl: await crlOf([revoked(bad)]), key: await ocspKeyOf() });
const OCSP = `/ocsp/${PLACE}`;
const request = opensslFile(['ocsp', '-issuer', '{ca}', '-cert', '{leaf}', '-reqout', '{out}'], {
  ca: ca.certificate.pem,
  leaf: good.certificate.pem,
});
const MALFORMED = Buffer.from('30030a0101', 'hex');

async function stillAnswers(): Promise<void> {
  const text = await ocspVerdict(`${url}${OCSP}`, [good, bad]);
  assert.match(text, 'Response verify OK');
  assert.equal(
    [...text.matchAll(/Cert Status: (\w+)/g)].map(([, status]) => status),
    ['good', 'revoked'],
  );
  assert.is((await ask(`/crl/${PLACE}.crl`)).status, 200);
}

const post = (body: Buffer) => ask(OCSP, { method: 'POST' }, body);

/** Sends bytes as they are, and answers all that comes back until the connection closes. */
function raw(bytes: string | Buffer, { ends = true } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1');
  onStop(() => socket.destroy());
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => resolve(text));
  if (ends) socket.end(bytes);
  else socket.write(bytes);
  return promise;
}

test('a request that is too long is refused before it is read, with its length or in chunks', async () => {
  const { status } = await post(Buffer.alloc(MOST_REQUEST_BYTES + 1, 0x30));
  assert.is(status, 413);
  const chunk = `10000\r\n${'0'.repeat(65_536)}\r\n`;
  const head = `POST ${OCSP} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
  assert.not.match(await raw(head + chunk.repeat(20), { ends: false }), 'HTTP/1.1 200');
  assert.match(await raw(`GET ${OCSP}/${'A'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), 'HTTP/1.1 431');
  await stillAnswers();
});

test('cut, changed and random requests are answered with an OCSP response', async () => {
  const changed = fc.tuple(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
    const copy = Buffer.from(request);
    copy[at] = (copy[at] ?? 0) ^ change;
    return copy;
  });
  const cut = fc.nat(request.length - 1).map((length) => request.subarray(0, length));
  const any = fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, cut, any), fc.boolean(), async (bytes, isGet) => {
      const path = `${OCSP}/${encodeURIComponent(bytes.toString('base64'))}`;
      const { status, body } = await (isGet ? ask(path) : post(bytes));
      if (isGet && bytes.length === 0) return assert.is(status, 405);
      assert.is(status, 200);
      assert.ok(body.length >= MALFORMED.length && body[0] === 0x30);
    }),
    { seed, numRuns: 500 },
  );
  await stillAnswers();
});

test('malformed requests are malformed, in every encoding of a path', async () => {
  for (const body of [Buffer.alloc(0), Buffer.from('hello'), request.subarray(1)])
    assert.ok((await post(body)).body.equals(MALFORMED));
  for (const encoded of ['%', '%zz', '%00', '!!!!', 'AAAA', '%E0%A4%A'])
    assert.ok((await ask(`${OCSP}/${encoded}`)).body.equals(MALFORMED), encoded);
  await stillAnswers();
});

test('random bytes in place of HTTP harm nothing', async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((each) => Buffer.from(each));
  const heads = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PUT', 'BREW', 'OPTIONS', 'CONNECT'),
      fc.webPath(),
      fc.string({ maxLength: 40 }),
    )
    .map(([method, path, header]) => Buffer.from(`${method} ${path} HTTP/1.1\r\n${header}\r\n\r\n`));
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, heads), async (each) => {
      assert.not.match(await raw(each), 'HTTP/1.1 500');
    }),
    { seed, numRuns: 200 },
  );
  await stillAnswers();
});

test('clients that send slowly, or leave in the middle, are cut off', async () => {
  const slow = Array.from({ length: 20 }, () =>
    raw(`POST ${OCSP} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0`, { ends: false }),
  );
  const slowHead = raw('GET /crl', { ends: false });
  await stillAnswers();
  for (let count = 0; count < 50; count += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(`POST ${OCSP} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n0`, () => socket.destroy());
  }
  // Each ends, since the server closes it.
  await Promise.all([...slow, slowHead]);
  await stillAnswers();
});

test('a thousand open connections lock nobody out', async () => {
  const sockets = Array.from({ length: 1_000 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onStop(() => {
    for (const socket of sockets) socket.destroy();
  });
  await stillAnswers();
});

test.run();
