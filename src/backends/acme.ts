import type { AcmeBackend } from '../api/generated/types.ts';
import { type BackendDefinition, perSecond } from './backend.ts';
import { concealErrors } from './http/conceal-errors.ts';
import { loadedOnDemand } from './shared/on-demand.ts';
import { TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';

/** A private CA that speaks ACME (RFC 8555). Public ones issue no client certificates any more. */
export const acme: BackendDefinition<AcmeBackend> = {
  type: 'acme',
  capabilities: {
    // An ACME server verifies nothing else; see identifiersOf for the common name.
    identity: ['commonName', 'dnsNames', 'ipAddresses'],
    keyAlgorithms: ['ECDSA', 'Ed25519', 'RSA'],
    usages: 'any',
    // The profile of the CA decides.
    lifetime: 'rounded',
    remote: true,
    // A certificate costs about eight requests.
    rateLimit: perSecond(10),
    persistKey: true,
  },
  permissions: [TRUST_BUNDLE_PERMISSION],
  create: (spec, deps) =>
    concealErrors(
      loadedOnDemand(async () => (await import('./acme/backend.ts')).acmeBackend(spec, deps), {
        revoke: true,
        forget: true,
        renewalInfo: true,
      }),
      spec.server,
      'an ACME server',
      deps,
    ),
};
