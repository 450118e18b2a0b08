import type { ExternalBackend } from '../api/generated/types.ts';
import { ANY_CERTIFICATE, type BackendDefinition, perSecond } from './backend.ts';
import { loadedOnDemand } from './shared/on-demand.ts';
import { TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';

const DAY_MS = 86_400_000;

/**
 * A CA with a person or a ticket in the middle: the CSR waits in a ConfigMap, and the signed chain is put beside it, days
 * later perhaps.
 */
export const external: BackendDefinition<ExternalBackend> = {
  type: 'external',
  capabilities: {
    ...ANY_CERTIFICATE,
    // A CSR has no field for the validity, so it is up to the person who signs.
    lifetime: 'rounded',
    remote: true,
    // The API server, which holds the ConfigMaps, takes them at this rate beside its other work.
    rateLimit: perSecond(10),
    persistKey: true,
    leadMs: 14 * DAY_MS,
    denialIsFinal: true,
  },
  permissions: [
    TRUST_BUNDLE_PERMISSION,
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['get', 'create', 'delete'],
      why: 'to hand CSRs to a person in ConfigMaps (external), to read the answer, and to remove both',
    },
  ],
  create: (spec, deps) =>
    loadedOnDemand(async () => (await import('./external/backend.ts')).externalBackend(spec, deps), { forget: true }),
};
