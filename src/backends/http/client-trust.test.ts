/** Which servers a client of an authority connects to. */
import type { AddressInfo } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop, stopAll } from '../../../test/teardown.ts';
import { client, failure, GET, issuer, json, serving, signal, stranger } from '../../../test/unit/authority-server.ts';

test.after(stopAll);

const UNTRUSTED: Record<string, [names: string[], caBundle: string | undefined, says: string]> = {
  'of another CA of the same name': [['127.0.0.1'], stranger.certificatePem, 'CA that is not trusted'],
  'of a CA that the system does not know': [['127.0.0.1'], undefined, 'CA that is not trusted'],
  'for another name': [
    ['vault.example'],
    issuer.certificatePem,
    'is for another name (ERR_TLS_CERT_ALTNAME_INVALID); name in server what the certificate is for',
  ],
};

for (const [sentence, [names, caBundle, says]] of Object.entries(UNTRUSTED)) {
  test(`a server whose certificate is ${sentence} gets no request`, () =>
    serving(
      (_request, response) => json(response, 200, {}),
      async ({ url, seen }) => {
        const { code, message } = await failure(client(url, { caBundle }).json(GET, signal));
        assert.is(code, 'AuthorityNotTrusted');
        assert.match(message, says);
        assert.is(seen.length, 0);
      },
      names,
    ));
}

test('a server without TLS, and none at all', async () => {
  const plain = createPlainServer((socket) => {
    socket
      .resume()
      .on('error', () => {})
      .end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const close = onStop(() => new Promise((resolve) => plain.close(resolve)));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  assert.is((await failure(client(url).json(GET, signal))).code, 'AuthorityNotTrusted');
  await close();
  const { code, message } = await failure(client(url).json(GET, signal));
  assert.is(code, 'AuthorityUnreachable');
  assert.match(message, 'refused');
});

test('an unknown name', async () => {
  const { code, message } = await failure(client('https://no-such-host.invalid').json(GET, signal));
  assert.is(code, 'AuthorityUnreachable');
  assert.match(message, "its name can't be resolved");
});

test('this host is refused unless allowed, by its address and by its name', () =>
  serving(
    (_request, response) => json(response, 200, {}),
    async ({ url, seen }) => {
      for (const server of [url, url.replace('127.0.0.1', 'localhost'), url.replace('127.0.0.1', '2130706433')]) {
        const { code, message } = await failure(client(server, { rules: { loopback: false } }).json(GET, signal));
        assert.is(code, 'AuthorityMisconfigured');
        assert.match(message, 'this host itself');
      }
      assert.is(seen.length, 0);
    },
    ['127.0.0.1', 'localhost'],
  ));

test('link-local addresses are refused even where this host is allowed', async () => {
  for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]']) {
    const { code, message } = await failure(client(`https://${host}:1`).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, 'link-local');
  }
});

test('a server that is no https URL, and a bundle that is none', async () => {
  for (const server of ['http://a.example', 'https://u:p@a.example', 'https://a.example?x', 'a.example', '']) {
    const { code, message } = await failure(client(server).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, 'must be an https URL');
  }
  for (const caBundle of ['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    const { code, message } = await failure(client('https://127.0.0.1:1', { caBundle }).json(GET, signal));
    assert.is(code, 'AuthorityMisconfigured');
    assert.match(message, "caBundle can't be used");
  }
});

test.run();
