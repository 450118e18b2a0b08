import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from './names.ts';

const PATHS: Record<string, string> = {
  '/api/v1/secrets': names.resourcePath(names.SECRETS),
  '/api/v1/namespaces/ns/secrets': names.resourcePath(names.SECRETS, 'ns'),
  '/api/v1/namespaces/ns/secrets/a': names.resourcePath(names.SECRETS, 'ns', 'a'),
  '/api/v1/namespaces': names.resourcePath(names.NAMESPACES),
  '/api/v1/namespaces/ns': names.resourcePath(names.NAMESPACES, undefined, 'ns'),
  '/apis/certwheel.io/v1alpha1/clientcertificates': names.resourcePath(names.CLIENT_CERTIFICATES),
  '/apis/certwheel.io/v1alpha1/namespaces/ns/clientcertificates/a/status': names.resourcePath(
    names.CLIENT_CERTIFICATES,
    'ns',
    'a',
    'status',
  ),
  '/apis/certwheel.io/v1alpha1/clustercertificateauthorities/a/status': names.resourcePath(
    names.CLUSTER_CERTIFICATE_AUTHORITIES,
    'ns',
    'a',
    'status',
  ),
  '/apis/coordination.k8s.io/v1/namespaces/ns/leases/certwheel': names.resourcePath(names.LEASES, 'ns', 'certwheel'),
  '/apis/events.k8s.io/v1/namespaces/ns/events': names.resourcePath(names.EVENTS, 'ns'),
};

for (const [expected, path] of Object.entries(PATHS)) {
  test(`${expected} is the path of that resource`, () => assert.is(path, expected));
}

test('a name can not lead to another path', () => {
  assert.is(names.resourcePath(names.SECRETS, '../x', 'a/b?c#d'), '/api/v1/namespaces/..%2Fx/secrets/a%2Fb%3Fc%23d');
});

test('the version of the core group has no group in it', () => {
  assert.is(names.apiVersion(names.SECRETS), 'v1');
  assert.is(names.apiVersion(names.CLIENT_CERTIFICATES), 'certwheel.io/v1alpha1');
});

test('every label and annotation is of our group, and none is there twice', () => {
  const all = Object.entries(names)
    .filter(([name]) => /_(LABEL|ANNOTATION)$/.test(name))
    .map(([, value]) => String(value));
  assert.ok(all.length >= 10);
  for (const each of all) assert.match(each, /^certwheel\.io\/[a-z][a-z-]+$/);
  assert.is(new Set(all).size, all.length);
});

test.run();
