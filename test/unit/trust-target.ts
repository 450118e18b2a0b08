/** A trust target as the API server holds it, for tests of pure code. */

import { bundleOf, type TrustBundle } from '../../src/pki/bundle.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { targetManifest } from '../../src/trust-targets/manifest.ts';
import { type TargetView, targetViewer } from '../../src/trust-targets/view.ts';
import { root } from '../pki/make.ts';

const holders = [
  await root({ commonName: 'CA 1' }),
  await root({ commonName: 'CA 2' }),
  await root({ commonName: 'CA 3' }),
];
export const [first, second, stranger] = holders.map(({ certificate }) => parseCertificate(certificate.der)) as [
  ReturnType<typeof parseCertificate>,
  ReturnType<typeof parseCertificate>,
  ReturnType<typeof parseCertificate>,
];

export const owner = {
  kind: 'ClusterCertificateAuthority',
  namespace: '',
  name: 'ca',
  uid: 'uid-1',
  generation: 1,
} as const;
export const object = { kind: 'ConfigMap', namespace: 'shop', name: 'client-ca', signerName: undefined } as const;
export const bundle = (...anchors: (typeof first)[]): TrustBundle => bundleOf(anchors);

const view = targetViewer('ConfigMap');

/** The object after a write at that moment over what was seen, as if the API server had made it an hour before. */
export function stored(held: TrustBundle, now: Date, seen?: TargetView, change: object = {}): TargetView {
  const { metadata, data } = targetManifest(owner, object, held, seen, now) as unknown as {
    metadata: object;
    data: Record<string, string>;
  };
  const created = { uid: 'object-1', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' };
  return { ...view({ metadata: { ...metadata, ...created }, data }), ...change };
}

export { view };
