import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { isInCluster } from '../api/trust-targets.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { DesiredObject } from './desired.ts';
import type { TargetsDeps } from './reconcile.ts';

/** What is known of the objects of an authority, in the cluster and at providers. */
export function seenOf(resource: CertificateAuthority, bundle: TrustBundle, deps: TargetsDeps) {
  return {
    view: (object: DesiredObject) =>
      isInCluster(object) ? deps.view(object) : deps.remote.view(resource, object, bundle),
    unknown: (object: DesiredObject) =>
      isInCluster(object) ? deps.unknown(object.kind, object.namespace) : deps.remote.unknown(resource, object),
  };
}
