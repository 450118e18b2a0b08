import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError } from '../errors.ts';
import { CSR_LABEL, makeCsr } from '../pki/csr.ts';
import { generateKey, publicKeyDer, publicKeyPin } from '../pki/keys.ts';
import { toPem } from '../pki/pem.ts';
import { NO_NAMES } from '../pki/san.ts';
import { requestOf, requestPlacesOf, withRequest } from './client-request.ts';

const key = await generateKey({ algorithm: 'Ed25519' });
const PEM = toPem(CSR_LABEL, makeCsr({ key, subject: { commonName: 'client' }, names: NO_NAMES, usages: [] }));
const PIN = publicKeyPin(publicKeyDer(key));
const configMapKeyRef = { name: 'partner', key: 'client.csr' };

/** The certificate with what is read from an object of that content. */
const readFrom = (csr: object, object?: RawObject | Error) =>
  withRequest(aCertificate({ csr }).build(), async () => {
    if (object instanceof Error) throw object;
    return object;
  });

async function problemOf(csr: object, object?: RawObject | Error): Promise<string> {
  const { request } = (await readFrom(csr, object)).spec;
  return request !== undefined && 'problem' in request ? request.problem : 'none';
}

test('the request comes from the spec, a ConfigMap or a Secret, and the kind of its key with it', async () => {
  const base64 = Buffer.from(PEM).toString('base64');
  const read = [
    await readFrom({ inline: PEM }),
    await readFrom({ configMapKeyRef }, { data: { 'client.csr': PEM } }),
    await readFrom({ secretKeyRef: configMapKeyRef }, { data: { 'client.csr': base64 } }),
  ];
  for (const { spec } of read) assert.equal([requestOf(spec)?.publicKeyPin, spec.key], [PIN, { algorithm: 'Ed25519' }]);
  const places = read.map(({ spec }) => requestPlacesOf(spec).map(({ kind, name }) => `${kind} ${name}`));
  assert.equal(places, [[], ['ConfigMap partner'], ['Secret partner']]);
});

test('a certificate whose key Certwheel makes is the same object, and nothing is read', async () => {
  const resource = aCertificate().build();
  assert.is(
    await withRequest(resource, async () => {
      throw new Error('it was read');
    }),
    resource,
  );
});

test('what is missing is named with the command that creates it', async () => {
  assert.is(
    await problemOf({ configMapKeyRef }),
    'ConfigMap team/partner does not exist; create it, for example: kubectl create configmap -n team partner --from-file=client.csr=client.csr',
  );
  assert.match(await problemOf({ secretKeyRef: configMapKeyRef }), 'kubectl create secret generic -n team partner');
  const other = await problemOf({ configMapKeyRef }, { data: { other: PEM } });
  assert.match(other, 'ConfigMap team/partner has no key client.csr; write it, for example: kubectl create configmap');
  const inherited = { configMapKeyRef: { name: 'partner', key: 'constructor' } };
  assert.match(await problemOf(inherited, { data: {} }), 'has no key constructor');
});

test('a request that can not be read keeps the kind of key of the spec', async () => {
  const { spec } = await readFrom({ configMapKeyRef }, { data: { 'client.csr': 'none' } });
  assert.equal([requestOf(spec), spec.key], [undefined, { algorithm: 'ECDSA', size: 256 }]);
});

test('the same bad text is named by its own place each time', async () => {
  const text = { data: { 'client.csr': 'none at all' } };
  assert.match(await problemOf({ configMapKeyRef }, text), /^ConfigMap team\/partner, key client\.csr: it has no PEM/);
  assert.match(await problemOf({ inline: 'none at all' }), /^spec\.csr\.inline: it has no PEM/);
});

test('a file in DER, which kubectl puts into binaryData, is said to be there in another form', async () => {
  const binary = { binaryData: { 'client.csr': Buffer.from([0x30, 0x82]).toString('base64') } };
  const problem = await problemOf({ configMapKeyRef }, binary);
  assert.match(
    problem,
    'ConfigMap team/partner, key client.csr: it is not text; write it in PEM with: openssl req -inform DER',
  );
});

test('what is too large is not hashed or parsed', async () => {
  const large = { data: { 'client.csr': 'x'.repeat(32_769) } };
  assert.match(await problemOf({ configMapKeyRef }, large), '32769 bytes, where at most 32768 are read');
});

test('a right that is missing is named with the value of the chart; other failures are retried', async () => {
  const message = 'configmaps is forbidden: User "certwheel" cannot list resource "configmaps"';
  const forbidden = new ApiError(403, 'Forbidden', message);
  const problem = await problemOf({ configMapKeyRef }, forbidden);
  assert.match(problem, `may not read ConfigMap team/partner: ${message}; set clientRequests.configMaps of the chart`);
  for (const [csr, error] of [
    [{ configMapKeyRef }, new ApiError(503, 'ServiceUnavailable', 'busy')],
    [{ secretKeyRef: configMapKeyRef }, forbidden],
  ] as const) {
    let thrown: unknown;
    await readFrom(csr, error).catch((each) => {
      thrown = each;
    });
    assert.is(thrown, error);
  }
});

test.run();
