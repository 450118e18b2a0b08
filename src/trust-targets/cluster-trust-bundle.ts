import { CLUSTER_TRUST_BUNDLES } from '../api/names.ts';
import type { KindOfTarget } from './kind.ts';

interface BundleSpec {
  readonly trustBundle?: string;
}

/** KEP-3257. A signer name can't be changed, nor be set later, so it is no part of what is compared. */
export const CLUSTER_TRUST_BUNDLE: KindOfTarget = {
  kind: 'ClusterTrustBundle',
  resource: CLUSTER_TRUST_BUNDLES,
  right: 'clusterTrustBundles',
  read: ({ spec }) => (spec as BundleSpec | undefined)?.trustBundle,
  readFile: () => undefined,
  write: ({ pem, signerName }) => ({ spec: { ...(signerName === undefined ? {} : { signerName }), trustBundle: pem } }),
};
