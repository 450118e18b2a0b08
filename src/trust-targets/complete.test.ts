import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { object } from '../../test/unit/trust-target.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { complete } from './complete.ts';

const JKS = { type: 'JKS', password: 'changeit' } as const;

/** Of the kind, with these trust stores, and CA certificates of so many bytes. */
async function unready(kind: TrustTarget['kind'], formats: TrustTarget['formats'], bytes: number) {
  const certificate = { fingerprintSHA256: 'a', pem: 'x'.repeat(bytes), der: Buffer.alloc(bytes) };
  const target = { name: 'java', kind, object: 'client-ca', signerName: undefined, namespaces: undefined, formats };
  const wanted = { objects: [object], trouble: undefined, unreached: [] };
  const all = [{ target: { ...target, requiredProof: 'Written' } as const, ...wanted }];
  const { targets } = await complete(all, bundleOf([certificate as CertificateView]), undefined);
  return targets[0]?.objects[0]?.unready;
}

test('a target that its trust stores make too large names them, and not the API server', async () => {
  assert.is(await unready('ConfigMap', [JKS], 500_000), undefined);
  assert.is(await unready('ConfigMap', [], 700_000), undefined);
  const full = await unready('ConfigMap', [JKS], 700_000);
  assert.is(full?.code, 'TrustBundleTooLarge');
  assert.match(full?.message ?? '', /have 14\d{5} bytes with the trust stores of target java, .*; leave a format out/);
});

test.run();
