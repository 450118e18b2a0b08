import type { ObjectKind } from '../api/trust-targets.ts';
import { CLUSTER_TRUST_BUNDLE } from './cluster-trust-bundle.ts';
import { CONFIG_MAP } from './config-map.ts';
import type { KindOfTarget } from './kind.ts';
import { SECRET } from './secret.ts';

/** One file and one line here add a kind. */
export const KINDS: Readonly<Record<ObjectKind, KindOfTarget>> = {
  ConfigMap: CONFIG_MAP,
  Secret: SECRET,
  ClusterTrustBundle: CLUSTER_TRUST_BUNDLE,
};
