/** The script with which a server without access to Kubernetes gets its lists: what it takes, and what it leaves as it was. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Authority, authority } from '../interop/support/authority.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { root } from '../pki/make.ts';
import { onStop, stopAll } from '../teardown.ts';
import { derOf, FETCH_SCRIPT } from './support/fetch-script.ts';
import { listsOf } from './support/lists.ts';

test.after(stopAll);

/** Serves a list of each CA by its level: /0 is that of the CA that signs. */
async function listServer() {
  let bodies: readonly Buffer[] = [];
  const server = createServer(({ url }, response) => {
    const body = bodies[Number(url?.slice(1))];
    response.writeHead(body === undefined ? 503 : 200).end(body);
  });
  server.listen(0, '127.0.0.1');
  onStop(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    serve: (lists: readonly (string | Buffer)[]) => {
      bodies = lists.map((list) => (typeof list === 'string' ? derOf(list) : list));
    },
  };
}

async function stage() {
  const ca: Authority = await authority(2);
  const folder = temporaryFolder();
  const [file, reloaded] = [join(folder, 'lists.pem'), join(folder, 'reloaded')];
  const server = await listServer();
  const sources = ca.holders.flatMap(({ certificate }, level) => {
    const path = join(folder, `ca-${level}.pem`);
    writeFileSync(path, certificate.pem);
    return [`${server.url}/${level}`, path];
  });
  const fetch = async () => {
    const former = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const refusal = await promisify(execFile)('sh', [FETCH_SCRIPT, file, `touch ${reloaded}`, ...sources]).then(
      () => undefined,
      (error: Error & { readonly stderr: string }) => error.stderr,
    );
    return { refusal, isSame: existsSync(file) && readFileSync(file, 'utf8') === former };
  };
  return { ca, file, reloaded, serve: server.serve, fetch };
}

test('lists of all CAs are written in PEM, and the server reloads when one has changed', async () => {
  const { ca, file, reloaded, serve, fetch } = await stage();
  const lists = await listsOf(ca.holders, { revoked: [(await ca.issue()).serial] });
  serve(lists);
  assert.is((await fetch()).refusal, undefined);
  assert.is(readFileSync(file, 'utf8'), lists.join(''));
  assert.ok(existsSync(reloaded));
  rmSync(reloaded);
  assert.equal(await fetch(), { refusal: undefined, isSame: true });
  assert.is(existsSync(reloaded), false);
  serve(await listsOf(ca.holders));
  assert.equal(await fetch(), { refusal: undefined, isSame: false });
  assert.ok(existsSync(reloaded));
});

test('nothing is written where a list is missing, has ended, is cut short, is of another CA, or is forged', async () => {
  const { ca, serve, fetch } = await stage();
  const [signing, top] = ca.holders;
  if (signing === undefined || top === undefined) throw new Error('no CA');
  const current = await listsOf(ca.holders);
  const [own = '', upper = ''] = current;
  serve(current);
  await fetch();
  const [ended = ''] = await listsOf(ca.holders, { lifeMs: -1_000 });
  const imposter = await root({ commonName: 'Interop CA, level 1' });
  const named = { certificate: signing.certificate, key: imposter.key };
  const [forged = ''] = await listsOf([named]);
  for (const [what, list, message] of [
    ['missing', undefined, /503/],
    ['ended', ended, /the list has ended at/],
    ['cut', derOf(own).subarray(0, -10), /no list of the CA/],
    ['a page', Buffer.from('<html>'), /no list of the CA/],
    ['of another CA', upper, /no list of the CA/],
    ['forged', forged, /no list of the CA in \S+: verify failure/],
  ] as const) {
    serve(list === undefined ? [] : [list, upper]);
    const { refusal, isSame } = await fetch();
    assert.match(refusal ?? '', message, what);
    assert.is(isSame, true, what);
  }
  serve([(await listsOf(ca.holders))[0] ?? '', upper]);
  assert.is((await fetch()).isSame, false, 'a new list is taken again');
});

test('a list with a lower number than the one before is refused, however many digits they have', async () => {
  const { ca, serve, fetch } = await stage();
  const at = (number: bigint) => listsOf(ca.holders, { number });
  // As numbers and as text their order differs: 9, 10, ff, 100, and one of 20 octets.
  const numbers = [0n, 9n, 16n, 255n, 256n, 2n ** 158n];
  for (const [index, number] of numbers.entries()) {
    const list = await at(number);
    serve(list);
    assert.equal(await fetch(), { refusal: undefined, isSame: false }, `${number}`);
    for (const older of numbers.slice(0, index)) {
      serve(await at(older));
      const { refusal, isSame } = await fetch();
      assert.match(
        refusal ?? '',
        /the list has the number [0-9A-F]+, and the one before had [0-9A-F]+/,
        `${older} after ${number}`,
      );
      assert.is(isSame, true);
    }
    serve(list);
    assert.equal(await fetch(), { refusal: undefined, isSame: true });
  }
});

test.run();
