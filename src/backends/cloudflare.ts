import type { CloudflareBackend } from '../api/generated/types.ts';
import { ANY_CERTIFICATE, type Backend, type BackendDefinition, perSecond } from './backend.ts';
import { withinLimit } from './http/client.ts';
import { concealErrors } from './http/conceal-errors.ts';
import { loadedOnDemand } from './shared/on-demand.ts';
import { TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';

/**
 * API Shield client certificates of a Cloudflare zone, from Cloudflare's managed CA. A create is not idempotent, so a lost
 * answer is found again by its key; what was superseded is revoked, since the zone has a quota.
 */
export const cloudflare: BackendDefinition<CloudflareBackend> = {
  type: 'cloudflare',
  capabilities: {
    ...ANY_CERTIFICATE,
    keyAlgorithms: ['ECDSA', 'RSA'],
    // Whole days.
    lifetime: 'rounded',
    remote: true,
    // Each certificate costs some four of the 1,200 requests that a token may make in five minutes.
    rateLimit: perSecond(3),
    persistKey: true,
  },
  permissions: [TRUST_BUNDLE_PERMISSION],
  create: (spec, deps) => {
    let zone: Backend | undefined;
    const load = async () => {
      const { CloudflareZone } = await import('./cloudflare/zone.ts');
      const made = new CloudflareZone(spec, deps);
      zone = made;
      return made;
    };
    const loaded = loadedOnDemand(load, { revoke: true, forget: true });
    const backend: Backend = {
      ...loaded,
      verified: () => (typeof zone?.verified === 'function' ? zone.verified() : ''),
      check: (signal) => withinLimit(signal, (all) => loaded.check(all)),
      trust: (signal) => withinLimit(signal, (all) => loaded.trust(all)),
      issue: (request, signal) => withinLimit(signal, (all) => loaded.issue(request, all)),
      revoke: (revocation, reason, signal) =>
        withinLimit(signal, async (all) => loaded.revoke?.(revocation, reason, all)),
    };
    // Cloudflare's own address tells nothing of the cluster.
    return spec.server === undefined ? backend : concealErrors(backend, spec.server, "Cloudflare's API", deps);
  },
};
