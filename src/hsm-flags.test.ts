import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HSM_OPTIONS, toHsmConfig } from './hsm-flags.ts';
import { StartError } from './start-error.ts';

type Flag = (typeof HSM_OPTIONS)[number]['flag'];

const configOf = (given: Partial<Record<Flag, string>>) => {
  const standard = Object.fromEntries(HSM_OPTIONS.map((each) => [each.flag, each.standard])) as Record<Flag, string>;
  return toHsmConfig({ ...standard, ...given }).hsm;
};

test('tokens are given to namespaces by their labels, which may hold a slash or be percent-encoded', () => {
  assert.equal(configOf({ 'pkcs11-tenant-tokens': 'shop/a%2Cb, team-a/x/y, */%C3%BC' }).tenantTokens, [
    { namespace: 'shop', token: 'a,b' },
    { namespace: 'team-a', token: 'x/y' },
    { namespace: '*', token: 'ü' },
  ]);
  assert.equal(configOf({}).tenantTokens, []);
});

for (const [flag, value, says] of [
  ['pkcs11-module', 'libhsm.so', /--pkcs11-module libhsm\.so is no absolute path/],
  ['pkcs11-addon', './pkcs11js', /is no absolute path/],
  ['pkcs11-pin-folder', 'pins', /is no absolute path/],
  ['pkcs11-processes', '0', /is no number from 1 to 1000/],
  ['pkcs11-tenant-tokens', 'shop', /names no token; give NAMESPACE\/LABEL/],
  ['pkcs11-tenant-tokens', 'shop/', /names no token/],
  ['pkcs11-tenant-tokens', 'Shop/a', /is no namespace/],
  ['pkcs11-tenant-tokens', 'sh*p/a', /is no namespace/],
  ['pkcs11-tenant-tokens', 'shop/%FF', /is not percent-encoded UTF-8/],
] as const)
  test(`--${flag} ${value} stops the start`, () =>
    assert.throws(
      () => configOf({ [flag]: value }),
      (error: unknown) => error instanceof StartError && says.test(error.message),
    ));

test.run();
