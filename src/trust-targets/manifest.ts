import type { CertificateAuthority } from '../api/certificate-authority.ts';
import * as names from '../api/names.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { ClusterObject } from './desired.ts';
import { markOf, sinceAfter } from './judge.ts';
import { KINDS } from './kinds.ts';
import { NO_STORES } from './stores.ts';
import { writeTrustedSince } from './trusted-since.ts';
import type { TargetView } from './view.ts';

export type TargetManifest = ReturnType<typeof targetManifest>;

/**
 * The whole object as it is applied, on the condition that it still is `seen`, or that there is none. It has no owner: whoever
 * deletes an authority leaves certificates that verifiers must go on to accept.
 */
export function targetManifest(
  resource: Pick<CertificateAuthority, 'kind' | 'namespace' | 'name' | 'uid'>,
  desired: ClusterObject,
  bundle: TrustBundle,
  seen: TargetView | undefined,
  now: Date,
) {
  const { namespace, name, signerName, stores = NO_STORES } = desired;
  const { resource: api, write } = KINDS[desired.kind];
  const precondition =
    seen === undefined ? { resourceVersion: CREATE_ONLY } : { uid: seen.uid, resourceVersion: seen.resourceVersion };
  return {
    apiVersion: names.apiVersion(api),
    kind: api.kind,
    metadata: {
      ...(namespace === '' ? {} : { namespace }),
      name,
      ...precondition,
      labels: {
        [names.TRUST_TARGET_LABEL]: resource.name,
        [names.AUTHORITY_KIND_LABEL]: resource.kind,
        [names.MANAGED_BY]: 'certwheel',
      },
      annotations: {
        [names.TRUST_MARK_ANNOTATION]: markOf(resource, desired),
        [names.TRUSTED_SINCE_ANNOTATION]: writeTrustedSince(sinceAfter(seen, bundle, resource, now)),
        ...(stores.id === '' ? {} : { [names.TRUST_STORES_ANNOTATION]: Object.keys(stores.files).sort().join(',') }),
      },
    },
    ...write({ pem: bundle.pem, files: stores.files, texts: stores.texts, signerName }),
  };
}
