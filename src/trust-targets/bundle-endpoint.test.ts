/** What an endpoint may answer that is trusted by its certificate and means harm, or is no bundle endpoint at all. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, leaf, NOW, root } from '../../test/pki/make.ts';
import { issuer, json, serving, stranger } from '../../test/unit/authority-server.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { jwtKey, spiffeDocument, spiffeKey } from '../../test/unit/spiffe-document.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { makeRoot } from '../pki/issue.ts';
import { signerOf } from '../pki/signer.ts';
import { BundleEndpoint } from './bundle-endpoint.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const ca = await root({ commonName: 'Partner' });
const early = await root({ commonName: 'Early', notBefore: hoursFromNow(-9), notAfter: hoursFromNow(-1) });
const client = await leaf(ca);
const clock = new FakeClock(NOW);
const { signal } = new AbortController();
const nothing = () => {};
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

interface Options {
  readonly clusterWide?: boolean;
  readonly caBundle?: string;
  readonly loopback?: boolean;
  readonly lines?: string[];
}

function endpointAt(url: string, { clusterWide = true, loopback = true, lines = [], ...source }: Options = {}) {
  const caBundle = Buffer.from(source.caBundle ?? issuer.certificatePem).toString('base64');
  return new BundleEndpoint(
    { endpoint: `${url}/bundle`, trustDomain: 'partner.example', profile: 'https_web', caBundle },
    {
      clock,
      clusterWide,
      log: { ...SILENT, warn: (...said) => void lines.push(JSON.stringify(said)) },
      name: 'ns/ca',
      namespace: 'ns',
      rules: { loopback },
    },
  );
}

async function refusal(handler: Handler, options: Options = {}) {
  let said: { code: string; message: string } | undefined;
  await serving(handler, async ({ url }) => {
    said = await endpointAt(url, options)
      .read(undefined, signal)
      .then(
        () => undefined,
        (error) => error,
      );
  });
  assert.ok(said, 'it was read');
  return said;
}

const document =
  (keys: readonly unknown[]): Handler =>
  (_request, response) =>
    json(response, 200, spiffeDocument(keys));

test('a bundle is read at the path of the endpoint, and says how often it wants to be read', () =>
  serving(document([spiffeKey(ca), jwtKey(ca)]), async ({ url, seen }) => {
    const { certificates, refused, refreshHintMs } = await endpointAt(url).read(undefined, signal);
    assert.equal(
      [certificates.map(({ fingerprintSHA256 }) => fingerprintSHA256), refused, refreshHintMs],
      [[ca.certificate.fingerprintSHA256], [], 300_000],
    );
    assert.is(seen[0]?.url, '/bundle');
  }));

test('what verifiers could not trust is left out, and the rest counts', () =>
  serving(document([spiffeKey(ca), spiffeKey(client), spiffeKey(early)]), async ({ url }) => {
    const { certificates, refused } = await endpointAt(url).read(undefined, signal);
    assert.is(certificates.length, 2, 'one that has expired is judged anew at each moment');
    assert.match(refused.join(), 'is not a CA');
  }));

test('a bundle of a quarter of what an object takes is the largest, so that room is left for the CA of the authority', async () => {
  const large = (await root()).key;
  const organizations = Array<string>(100).fill('x'.repeat(64));
  const cas = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const life = { notBefore: hoursFromNow(-1), notAfter: hoursFromNow(9) };
      const subject = { commonName: `Large ${index}`, organizations };
      const serialNumber = Buffer.from([1, index]);
      return parseCertificate(await makeRoot({ subject, signer: signerOf(large), serialNumber, ...life }));
    }),
  );
  const bundle = document(cas.map((certificate) => spiffeKey({ certificate })));
  const { code, message } = await refusal(bundle);
  assert.is(code, 'TrustBundleRefused');
  assert.match(message, /its CA certificates have \d+ bytes in PEM, and at most 262144 are taken/);
  const half = document(cas.slice(0, 10).map((certificate) => spiffeKey({ certificate })));
  await serving(half, async ({ url }) => {
    assert.is((await endpointAt(url).read(undefined, signal)).certificates.length, 10);
  });
});

const endless: Handler = (_request, response) => {
  response.writeHead(200);
  const more = () => {
    while (!response.destroyed && response.write('a'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
};

const HOSTILE: Readonly<Record<string, [Handler, code: string, says: string]>> = {
  'a redirect to the metadata of a cloud': [
    (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    'TrustEndpointUnreachable',
    'which is not followed; name in endpoint what answers itself',
  ],
  'an answer without end': [endless, 'TrustEndpointUnreachable', 'more than 1048576 bytes'],
  'headers without end': [
    (_request, response) => {
      for (let i = 0; i < 2_000; i++) response.setHeader(`a-${i}`, 'b'.repeat(100));
      json(response, 200, spiffeDocument([spiffeKey(ca)]));
    },
    'TrustEndpointUnreachable',
    "can't be reached",
  ],
  'a page': [(_request, response) => void response.end('<html>'), 'TrustEndpointUnreachable', 'no JSON'],
  'nothing at all': [(_request, response) => void response.end(), 'TrustBundleRefused', 'no list "keys"'],
  'a connection that ends': [(request) => void request.socket.destroy(), 'TrustEndpointUnreachable', 'broken off'],
  'a body that ends early': [
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"keys":[');
      response.socket?.destroySoon();
    },
    'TrustEndpointUnreachable',
    "can't be reached",
  ],
  'a refusal': [(_request, response) => json(response, 403, { message: 'no' }), 'TrustEndpointUnreachable', 'HTTP 403'],
  'an error': [(_request, response) => json(response, 500, {}), 'TrustEndpointUnreachable', 'HTTP 500'],
  'success without content': [
    (_request, response) => void response.writeHead(204).end(),
    'TrustEndpointUnreachable',
    'HTTP 204',
  ],
  'an empty bundle': [document([]), 'TrustBundleRefused', 'no key of the use x509-svid'],
  'a bundle for JWTs alone': [document([jwtKey(ca)]), 'TrustBundleRefused', 'no key of the use x509-svid'],
  'certificates of clients alone': [document([spiffeKey(client)]), 'TrustBundleRefused', 'is not a CA'],
  'CAs that have expired alone': [document([spiffeKey(early)]), 'TrustBundleRefused', 'all have expired'],
  'a good CA beside a key that breaks the rules': [
    document([spiffeKey(ca), spiffeKey(ca, { x5c: [] })]),
    'TrustBundleRefused',
    'keys[1] has 0 certificates in x5c',
  ],
  'a thousand CAs': [document(Array(1_000).fill(spiffeKey(ca))), 'TrustBundleRefused', 'at most 100 are read'],
  'JSON of great depth': [
    (_request, response) => void response.end(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    'TrustBundleRefused',
    'no list "keys"',
  ],
  'members of every object': [
    (_request, response) => void response.end('{"__proto__": {"keys": []}, "constructor": 1}'),
    'TrustBundleRefused',
    'no list "keys"',
  ],
};

for (const [what, [handler, code, says]] of Object.entries(HOSTILE))
  test(`${what}: nothing is read`, async () => {
    const error = await refusal(handler);
    assert.match(error.message, says);
    assert.is(error.code, code);
  });

test('Retry-After is obeyed by the endpoint of one source', () =>
  serving(
    (_request, response) => json(response, 503, {}, { 'retry-after': '60' }),
    async ({ url, seen }) => {
      const endpoint = endpointAt(url);
      const ask = () => endpoint.read(undefined, signal).catch((error) => error);
      assert.is((await ask()).retryAfterMs, 60_000);
      assert.match((await ask()).message, 'asked to be left alone');
      assert.is(seen.length, 1);
    },
  ));

test('a server of another CA, and this host, are not asked', async () => {
  const good = document([spiffeKey(ca)]);
  assert.match((await refusal(good, { caBundle: stranger.certificatePem })).message, 'CA that is not trusted');
  assert.match((await refusal(good, { loopback: false })).message, 'is not asked: 127.0.0.1 is this host itself');
});

test('the author of a CertificateAuthority reads one message of all servers that are no bundle endpoint; the log has more', async () => {
  const handlers: Handler[] = Object.values(HOSTILE).flatMap(([handler, code, says]) =>
    code === 'TrustEndpointUnreachable' || says === 'no list "keys"' ? [handler] : [],
  );
  const messages = new Set<string>();
  const lines: string[] = [];
  for (const handler of handlers) {
    const { code, message } = await refusal(handler, { clusterWide: false, lines });
    assert.is(code, 'TrustEndpointUnreachable');
    messages.add(message.replace(/127\.0\.0\.1:\d+/, 'HOST'));
  }
  assert.equal(
    [...messages],
    [
      "the server at HOST can't be used as a SPIFFE bundle endpoint: it can't be reached, is not trusted, or does not answer as one; the controller's log says why",
    ],
  );
  assert.match(lines.join(), '169.254.169.254' /* the place of a redirect */);
  const shown = await refusal(document([jwtKey(ca)]), { clusterWide: false });
  assert.match(shown.message, 'no key of the use x509-svid', 'a bundle is no secret');
});

test.run();
