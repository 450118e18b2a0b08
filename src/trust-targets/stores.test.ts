import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openssl } from '../../test/pki/openssl.ts';
import { bundle, first, object, owner, second, view } from '../../test/unit/trust-target.ts';
import { judge } from './judge.ts';
import { targetManifest } from './manifest.ts';
import { NO_STORES, trustStores } from './stores.ts';

const NOW = new Date('2026-01-03T00:00:00Z');
const FORMATS = [
  { type: 'PKCS12', password: 'changeit' },
  { type: 'JKS', password: 'changeit' },
] as const;
const both = bundle(first, second);
const stores = await trustStores(both, [...FORMATS]);
const bytesOf = (name: string) => Buffer.from(stores.files[name] ?? '', 'base64');

test('OpenSSL and Java read the trust stores, with both CA certificates', async () => {
  const args = ['pkcs12', '-in', '{store}', '-passin', 'pass:changeit', '-nokeys'];
  const { text } = openssl(args, { store: bytesOf('truststore.p12') });
  assert.is(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-stores-'));
  try {
    for (const name of ['truststore.p12', 'truststore.jks']) {
      writeFileSync(join(folder, name), bytesOf(name));
      const options = ['-list', '-keystore', join(folder, name), '-storepass', 'changeit', '-J-Duser.language=en'];
      const listed = execFileSync('keytool', options, { encoding: 'utf8', stdio: 'pipe' });
      assert.is(listed.match(/trustedCertEntry/g)?.length, 2, name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('equal CA certificates give equal bytes, and others give other bytes', async () => {
  const again = await trustStores(bundle(second, first), FORMATS.map((each) => ({ ...each, other: 1 })) as never);
  assert.equal(again.files, stores.files);
  const one = await trustStores(bundle(first), [...FORMATS]);
  for (const name of Object.keys(stores.files)) assert.is.not(one.files[name], stores.files[name]);
});

test('an object that lacks a trust store, or holds another, is written, and files of others do not count', () => {
  const wanted = { ...object, stores };
  const { metadata, data, binaryData } = targetManifest(owner, wanted, both, undefined, NOW) as unknown as {
    metadata: object;
    data: Record<string, string>;
    binaryData: Record<string, string>;
  };
  const stateOf = (desired: typeof wanted, held: Record<string, string>, meta: object = metadata) =>
    judge(desired, view({ metadata: meta, data, binaryData: held }), both, owner, NOW).state;
  assert.is(stateOf(wanted, binaryData), 'holding');
  assert.is(stateOf(wanted, {}), 'write');
  assert.is(stateOf(wanted, { ...binaryData, 'truststore.jks': 'AAAA' }), 'write');
  assert.is(stateOf({ ...object, stores: NO_STORES }, binaryData), 'write', 'one that the target had before');
  const plain = targetManifest(owner, object, both, undefined, NOW).metadata;
  assert.is(stateOf({ ...object, stores: NO_STORES }, { 'truststore.jks': 'AAAA' }, plain), 'holding');
});

test.run();
