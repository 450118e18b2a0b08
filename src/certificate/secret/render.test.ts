import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../../test/pki/make.ts';
import { aCertificate } from '../../../test/unit/builders.ts';
import { stored } from '../../../test/unit/secret-store.ts';
import { NO_OUTPUTS, type Outputs } from '../../api/outputs.ts';
import type { RawObject } from '../../api/parse.ts';
import { TerminalError } from '../../errors.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import { secretManifest } from './manifest.ts';
import { areFilesWhole, areTrustStoresCurrent } from './outputs.ts';
import { MOST_SECRET_BYTES, type Rendered, render, type SecretData } from './render.ts';
import { readStorePasswords, type StorePasswords } from './store-passwords.ts';
import { viewSecret } from './view.ts';

const [ca, otherCa] = [await root(), await root()];
const dataOf = async (issuer = ca): Promise<SecretData> => {
  const client = await leaf(issuer);
  return {
    certificateChain: client.certificate.pem,
    privateKey: encodePrivateKey(client.key, 'PKCS8'),
    trustBundle: issuer.certificate.pem,
  };
};
const DATA = await dataOf();
const ref = { name: 'password', key: 'password' };
const STORES: Partial<Outputs> = {
  pkcs12: { alias: 'certificate', profile: 'Modern2023', password: ref },
  jks: { alias: 'certificate', password: ref },
};
const STORE_FILES = ['keystore.jks', 'keystore.p12', 'truststore.jks', 'truststore.p12'];
const ALL: Partial<Outputs> = {
  ...STORES,
  combinedPem: true,
  derKey: true,
  names: { certificate: 'client.crt', privateKey: 'client.key', ca: 'root.crt' },
};
const MEMORY = {
  revision: 1,
  authority: 'CertificateAuthority/ca',
  authorityGeneration: 1,
  requestedDurationMs: 86_400_000,
  issuedAt: NOW,
  ledger: '',
};

const specOf = (outputs: Partial<Outputs>) => ({
  ...aCertificate().build().spec,
  outputs: { ...NO_OUTPUTS, ...outputs },
});

const passwordsOf = async (password: string): Promise<StorePasswords> => {
  const data = { password: Buffer.from(password).toString('base64') };
  const found = await readStorePasswords({ namespace: 'team', spec: specOf(STORES) }, async () => ({ data }));
  assert.ok(found !== undefined && 'tag' in found);
  return found;
};

const at = (rendered: Rendered): RawObject => {
  const resource = aCertificate().build();
  return stored(secretManifest(resource, rendered, MEMORY, undefined));
};

/** The files of a second write that differ from those of the first. */
const changed = (first: Rendered, second: Rendered) =>
  [...new Set([...Object.keys(first.data), ...Object.keys(second.data)])]
    .filter((name) => first.data[name] !== second.data[name])
    .sort();

const PASSWORDS = await passwordsOf('changeit');
const write = (
  outputs: Partial<Outputs>,
  former?: Rendered,
  data = DATA,
  passwords: StorePasswords | undefined = PASSWORDS,
) => render(data, specOf(outputs), passwords, former && at(former), NOW);

test('each file holds what its name says', async () => {
  const { data } = await write(ALL);
  const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('latin1');
  assert.is(text('tls-combined.pem'), DATA.privateKey + DATA.certificateChain);
  assert.is(text('client.crt'), DATA.certificateChain);
  assert.is(text('client.key'), DATA.privateKey);
  assert.is(text('root.crt'), DATA.trustBundle);
  assert.is(data['key.der'], DATA.privateKey?.replace(/-----.*-----|\n/g, ''));
  assert.equal(Object.keys(data).sort(), [
    'ca.crt',
    'client.crt',
    'client.key',
    'key.der',
    ...STORE_FILES.slice(0, 2),
    'root.crt',
    'tls-combined.pem',
    'tls.crt',
    'tls.key',
    ...STORE_FILES.slice(2),
  ]);
});

test('a certificate without outputs has the three files and no annotation', async () => {
  const { data, outputs } = await write({}, undefined, DATA, undefined);
  assert.equal(Object.keys(data), ['tls.crt', 'tls.key', 'ca.crt']);
  assert.is(outputs, '');
});

test('the stores stay byte for byte while nothing changes that they are made from', async () => {
  const first = await write(ALL);
  const again = await write(ALL, first);
  assert.equal(changed(first, again), []);
  assert.is(again.outputs, first.outputs);
  // Files that have no part in them come and go.
  assert.equal(changed(first, await write({ ...ALL, derKey: false }, first)), ['key.der']);
  assert.equal(changed(first, await write({ ...ALL, names: {} }, first)), ['client.crt', 'client.key', 'root.crt']);
});

test('the stores change with key and certificate, trust, password, alias and profile', async () => {
  const first = await write(STORES);
  const jks = { alias: 'other', password: ref };
  const { pkcs12 } = STORES;
  assert.ok(pkcs12);
  assert.equal(changed(first, await write({ ...STORES, jks }, first)), ['keystore.jks']);
  assert.equal(changed(first, await write({ ...STORES, pkcs12: { ...pkcs12, alias: 'other' } }, first)), [
    'keystore.p12',
  ]);
  const legacy = { ...pkcs12, profile: 'LegacyDES' as const };
  assert.equal(changed(first, await write({ ...STORES, pkcs12: legacy }, first)), ['keystore.p12', 'truststore.p12']);
  assert.equal(changed(first, await write(STORES, first, DATA, await passwordsOf('another'))), STORE_FILES);
  const trusting = { ...DATA, trustBundle: DATA.trustBundle + otherCa.certificate.pem };
  assert.equal(changed(first, await write(STORES, first, trusting)), ['ca.crt', 'truststore.jks', 'truststore.p12']);
  const renewed = await dataOf();
  assert.equal(changed(first, await write(STORES, first, renewed)), [
    'keystore.jks',
    'keystore.p12',
    'tls.crt',
    'tls.key',
  ]);
});

test('a file that was tampered with is written anew, and each of the others with it', async () => {
  const first = await write(STORES);
  const tampered = { ...first, data: { ...first.data, 'keystore.p12': 'AAAA' } };
  assert.not.ok(areFilesWhole(at(tampered)));
  const next = await write(STORES, tampered);
  assert.is.not(next.data['keystore.p12'], 'AAAA');
  assert.ok(areFilesWhole(at(next)));
});

test('without a password the stores stay as they are, and the Secret remembers that they are to be written', async () => {
  const first = await write(ALL);
  const trusting = { ...DATA, trustBundle: DATA.trustBundle + otherCa.certificate.pem };
  const without = await write(ALL, first, trusting, { problem: 'gone' });
  assert.equal(changed(first, without), ['ca.crt', 'root.crt']);
  assert.ok(areFilesWhole(at(without)));
  assert.is.not(viewSecret(at(without)).memory.outputs, viewSecret(at(first)).memory.outputs);
  const areCurrent = (rendered: Rendered) => areTrustStoresCurrent(at(rendered));
  assert.equal([areCurrent(first), areCurrent(without)], [true, false]);
  const without3 = await write(ALL, without, trusting, { problem: 'gone' });
  assert.not.ok(areCurrent(without3), 'also after another write');
  assert.ok(areCurrent(await write(ALL, without3, DATA, { problem: 'gone' })), 'ca.crt is again what it was');
  const after = await write(ALL, without, trusting);
  assert.ok(areCurrent(after));
  assert.equal(changed(without, after), ['truststore.jks', 'truststore.p12']);
  const without2 = await write({ jks: STORES.jks }, first, DATA, { problem: 'gone' });
  assert.not.ok('keystore.p12' in without2.data, 'what is not asked for any more goes');
});

test('a Secret that the API server would not store is refused with the size of each file', async () => {
  const trustBundle = `${DATA.trustBundle}${'x'.repeat(MOST_SECRET_BYTES / 2)}`;
  const error = await write({ names: { ca: 'root.crt' } }, undefined, { ...DATA, trustBundle }).catch(
    (thrown) => thrown,
  );
  assert.instance(error, TerminalError);
  assert.is(error.code, 'SecretTooLarge');
  assert.match(error.message, `: root.crt ${trustBundle.length}, ca.crt ${trustBundle.length}, tls.crt `);
  assert.match(error.message, 'at most 1048576');
});

test.run();
