import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretFields } from '../../test/unit/secret-fields.ts';
import { secretReferences } from './secret-references.ts';

for (const kind of ['CertificateAuthority', 'ClusterCertificateAuthority']) {
  test(`every field of a ${kind} that names a Secret is found`, () => {
    const paths = secretFields(kind);
    assert.ok(paths.length >= 6, `${paths}`);
    for (const path of paths) {
      const spec = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'the-secret');
      assert.equal(secretReferences(spec), [{ field: path.replace(/\.name$/, ''), name: 'the-secret' }], path);
    }
  });
}

test('names of other objects are not taken for Secrets', () => {
  const spec = {
    certManager: { issuerRef: { name: 'issuer' }, trustBundle: { configMap: { name: 'bundle', key: 'ca.crt' } } },
    stepCA: { provisioner: { name: 'certwheel' } },
    allowedNamespaces: { names: ['shop'] },
    trust: { targets: [{ name: 'brokers', secret: { name: 'written' } }] },
  };
  assert.equal(secretReferences(spec), []);
});

test('a spec that is broken is walked as far as it goes', () => {
  const spec = {
    vault: { auth: { tokenSecretRef: { name: 'token' }, nonsense: [{ keySecretRef: { name: 'key' } }] } },
  };
  assert.equal(
    secretReferences(spec).map(({ name }) => name),
    ['token', 'key'],
  );
  for (const nothing of [undefined, null, 'text', 7, [], { secret: null }, { secret: { name: 7 } }, { secret: '' }])
    assert.equal(secretReferences(nothing), []);
  const endless: Record<string, unknown> = {};
  endless.loop = endless;
  assert.equal(secretReferences(endless), []);
});

test.run();
