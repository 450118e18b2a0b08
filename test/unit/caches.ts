/** Caches of a controller that hold nothing but one ClientCertificate. */
import type { ClientCertificate } from '../../src/api/client-certificate.ts';
import { keyOf } from '../../src/api/parse.ts';
import type { ObserveDeps } from '../../src/certificate/observe.ts';

export function cachesOf(
  resource: ClientCertificate,
): Omit<ObserveDeps, 'authority' | 'authorityView' | 'approvals' | 'deniedPrefixes'> {
  return {
    cachedSecret: () => undefined,
    nextKey: () => undefined,
    recent: () => undefined,
    suggestion: () => undefined,
    readSecret: async () => undefined,
    readReferred: async () => undefined,
    readReferredPast: async () => undefined,
    isSecretAbsent: () => false,
    firstToName: () => undefined,
    usesOf: () => [],
    certificate: (key) => (key === keyOf(resource) ? resource : undefined),
    keepView: () => {},
    places: { ahead: () => 0 },
    requestRead: () => {},
    clusterAuthorities: true,
    namespaceLabels: () => undefined,
    isBehind: () => false,
    readPast: async () => {},
  };
}
