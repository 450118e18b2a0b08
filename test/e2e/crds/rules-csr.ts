/** What the CEL rules of a ClientCertificate refuse where the client keeps its private key itself. */
import type { Json } from './api.ts';
import { type Row, spec } from './rows.ts';

const csr = { inline: 'a certificate request' };
const reference = { name: 'partner', key: 'client.csr' };
const passwordSecretRef = { name: 'password', key: 'password' };

const ONE = 'exactly one of inline, configMapKeyRef and secretKeyRef is needed';
const NO_KEY =
  'with csr no private key is made, and the request decides about the kind of the key: leave out privateKey.algorithm, privateKey.size, privateKey.encoding, keystores, additionalOutputFormats and secretDataNames.privateKey';

const sources: Omit<Row, 'kind'>[] = [
  {},
  { ...csr, configMapKeyRef: reference },
  { ...csr, secretKeyRef: reference },
  { configMapKeyRef: reference, secretKeyRef: reference },
].map((source) => ({
  refuses: `a request with the sources ${Object.keys(source).join(', ') || 'of none'}`,
  rule: 'spec.csr',
  says: ONE,
  bad: spec({ csr: source }),
  good: spec({ csr: 'inline' in source ? csr : { secretKeyRef: reference } }),
}));

const keys: Omit<Row, 'kind'>[] = [
  { algorithm: 'RSA' },
  { algorithm: 'Ed25519' },
  { size: 384 },
  { encoding: 'PKCS1' },
].map((privateKey) => ({
  refuses: `a request beside privateKey ${JSON.stringify(privateKey)}`,
  rule: 'spec',
  says: NO_KEY,
  bad: spec({ csr, privateKey }),
  // What the API server fills in by itself.
  good: spec({ csr, privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8', rotationPolicy: 'Never' } }),
}));

const withKey = (refuses: string, files: Json, good: Json): Omit<Row, 'kind'> => ({
  refuses: `${refuses} beside a request`,
  rule: 'spec',
  says: NO_KEY,
  bad: spec({ csr, ...files }),
  good: spec(good),
});

export const CSR_RULES: Omit<Row, 'kind'>[] = [
  ...sources,
  ...keys,
  withKey(
    'key stores',
    { keystores: { jks: { create: true, passwordSecretRef } } },
    { keystores: { jks: { create: true, passwordSecretRef } } },
  ),
  withKey('files with the key', { additionalOutputFormats: [{ type: 'DER' }] }, { csr, additionalOutputFormats: [] }),
  withKey(
    'a name for the key',
    { secretDataNames: { privateKey: 'client.key' } },
    { csr, secretDataNames: { certificate: 'client.crt', ca: 'root.crt' } },
  ),
];
