import type { GoogleCASBackend } from '../api/generated/types.ts';
import { ANY_CERTIFICATE, type BackendDefinition, perSecond } from './backend.ts';
import { loadedOnDemand } from './shared/on-demand.ts';

/** A CA pool of Google Cloud Certificate Authority Service: a request is signed by one of the pool's CAs. */
export const googleCAS: BackendDefinition<GoogleCASBackend> = {
  type: 'googleCAS',
  capabilities: {
    ...ANY_CERTIFICATE,
    // Cut short to what the pool, the template and the CA allow.
    lifetime: 'atMost',
    remote: true,
    // Google signs 7 in a second with a CA of the tier Enterprise, 25 with one of the tier DevOps.
    rateLimit: perSecond(7),
    // A certificate has one id for good: only a request with the same key can be repeated.
    persistKey: true,
  },
  // To make tokens of any ServiceAccount would be to be any of them: a Role for the one that is used is the user's to give.
  permissions: [],
  create: (spec, deps) =>
    loadedOnDemand(async () => (await import('./google-cas/backend.ts')).backendOf(spec, deps, process.env), {
      revoke: true,
    }),
};
