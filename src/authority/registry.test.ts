import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import { Registry } from './registry.ts';
import type { Runtime } from './runtime.ts';

function authority(uid: string, generation: number) {
  const resource = parseCertificateAuthority('ClusterCertificateAuthority', {
    metadata: { name: 'ca', uid, generation, resourceVersion: '1' },
    spec: { selfManaged: { commonName: 'CA' } },
  });
  if (isBrokenAuthority(resource)) throw new Error(resource.problem);
  return resource;
}

const runtimeOf = (resource: ReturnType<typeof authority>) => ({ resource, release() {} }) as unknown as Runtime;

test('an authority that was changed or made anew has no runtime before it is reconciled', () => {
  const registry = new Registry();
  const first = authority('1', 1);
  assert.is(registry.current(first), undefined);
  const runtime = registry.ensure(first, () => runtimeOf(first));
  assert.is(registry.current(authority('1', 1)), runtime);
  for (const changed of [authority('1', 2), authority('2', 1), undefined])
    assert.is(registry.current(changed), undefined);
  const second = authority('1', 2);
  const next = registry.ensure(second, () => runtimeOf(second));
  assert.is.not(next, runtime);
  assert.is(registry.current(second), next);
  assert.is(registry.current(first), undefined);
});

test.run();
