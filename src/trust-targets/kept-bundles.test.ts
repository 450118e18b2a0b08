import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { bootstrapOf, keptText, readKept } from './kept-bundles.ts';

const keeper = { uid: 'one', secretUid: 'kept in' };
const source = { endpoint: 'https://a', trustDomain: 'partner.example', profile: 'https_web' } as const;
const ca = await root();
const text = keptText(keeper, source, { certificates: [ca.certificate], bootstrap: bootstrapOf(source) });

test('what was kept of a source is read back', () => {
  const found = readKept(keeper, source, text);
  assert.equal(
    found?.certificates.map(({ pem }) => pem),
    [ca.certificate.pem],
  );
  assert.is(found?.bootstrap, bootstrapOf(source));
});

test('what was kept of another authority, Secret, endpoint, trust domain or server is none of it', () => {
  for (const other of [{ uid: 'two' }, { secretUid: 'a copy' }, { secretUid: undefined }])
    assert.is(readKept({ ...keeper, ...other }, source, text), undefined);
  for (const other of [
    { endpoint: 'https://b' },
    { trustDomain: 'other.example' },
    { endpointSPIFFEID: 'spiffe://a/b' },
  ])
    assert.is(readKept(keeper, { ...source, ...other }, text), undefined);
  assert.is(readKept(keeper, source, undefined), undefined);
});

test('what Certwheel has not written is refused', () => {
  for (const bad of ['', 'no JSON', '[]', text.replace(/"pem":".*"/, '"pem":""'), text.replace('CERTIFICATE', 'KEY')]) {
    const read = () => readKept(keeper, source, bad);
    if (bad === '[]') assert.is(read(), undefined);
    else assert.throws(read, /can't be read/);
  }
});

test.run();
