import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_OUTPUTS, type Outputs } from '../../api/outputs.ts';
import { areFilesWhole, contentDigest, type OutputSpec, outputsDigest, readOutputs, writeOutputs } from './outputs.ts';

const ECDSA = { algorithm: 'ECDSA', size: 256 } as const;
const password = { name: 'password', key: 'password' };
const digest = (outputs: Partial<Outputs>, spec: Partial<OutputSpec> = {}, passwords?: string) =>
  outputsDigest({ key: ECDSA, keyEncoding: 'PKCS8', ...spec, outputs: { ...NO_OUTPUTS, ...outputs } }, passwords);

test('the defaults need no digest, and each other choice has one of its own', () => {
  assert.is(digest({}), '');
  assert.is(digest({}, { key: { algorithm: 'Ed25519' }, keyEncoding: 'PKCS1' }), '', 'there is one encoding of it');
  assert.match(digest({}, { keyEncoding: 'PKCS1' }), /^[\w-]{16}$/);
  assert.is(
    digest({}, { keyEncoding: 'PKCS1' }),
    digest({}, { key: { algorithm: 'RSA', size: 2048 }, keyEncoding: 'PKCS1' }),
    'the kind of key is no output',
  );
  const pkcs12 = { alias: 'a', profile: 'Modern2023', password } as const;
  const all = [
    digest({ combinedPem: true }),
    digest({ derKey: true }),
    digest({ derKey: true }, { keyEncoding: 'PKCS1' }),
    digest({ names: { certificate: 'client.crt' } }),
    digest({ names: { ca: 'client.crt' } }),
    digest({ pkcs12 }, {}, 'tag'),
    digest({ pkcs12 }, {}, 'another tag'),
    digest({ pkcs12 }),
    digest({ pkcs12: { ...pkcs12, alias: 'b' } }, {}, 'tag'),
    digest({ pkcs12: { ...pkcs12, profile: 'LegacyDES' } }, {}, 'tag'),
    digest({ jks: { alias: 'a', password } }, {}, 'tag'),
  ];
  assert.is(new Set(all).size, all.length);
  for (const each of all) assert.match(each, /^[\w-]{16}$/);
});

test('what an annotation remembers is read as it was written', () => {
  for (const files of [
    [],
    [['a.crt', '']],
    [
      ['a.crt', ''],
      ['keystore.p12', 'inputs'],
      ['key.der', ''],
    ],
  ] as [string, string][][]) {
    const record = { digest: 'digest', content: files.length === 0 ? '' : 'content', files: new Map(files) };
    assert.equal(readOutputs(writeOutputs(record)), record);
  }
  assert.equal(readOutputs(undefined), { digest: '', content: '', files: new Map() });
});

test('the longest annotation is shorter than what Certwheel reads', () => {
  const stores = ['keystore.p12', 'truststore.p12', 'keystore.jks', 'truststore.jks'];
  const names = ['a', 'b', 'c'].map((each) => each.repeat(253));
  const files = new Map([...names, 'tls-combined.pem', 'key.der'].map((each): [string, string] => [each, '']));
  for (const each of stores) files.set(each, 'x'.repeat(16));
  const text = writeOutputs({ digest: 'x'.repeat(16), content: 'x'.repeat(16), files });
  assert.ok(text.length <= 1_024, String(text.length));
});

test('a file that is changed, missing, or beside another certificate shows', () => {
  const data = { 'tls.crt': 'AA==', 'tls.key': 'AQ==', 'ca.crt': 'Ag==', 'key.der': 'Aw==' };
  const files = new Map([['key.der', '']]);
  const outputs = writeOutputs({ digest: 'd', content: contentDigest(data, files.keys()), files });
  const metadata = { annotations: { 'certwheel.io/outputs': outputs } };
  assert.ok(areFilesWhole({ metadata, data }));
  assert.ok(areFilesWhole({ metadata, data: { ...data, other: 'AA==' } }), 'what others put in is theirs');
  for (const name of Object.keys(data)) {
    assert.not.ok(areFilesWhole({ metadata, data: { ...data, [name]: 'BB==' } }), name);
    const { [name as keyof typeof data]: _, ...rest } = data;
    assert.not.ok(areFilesWhole({ metadata, data: rest }), name);
  }
  assert.ok(areFilesWhole({ metadata: {}, data: {} }));
  assert.ok(areFilesWhole({ metadata: { annotations: { 'certwheel.io/outputs': 'digest' } }, data }));
});

test.run();
