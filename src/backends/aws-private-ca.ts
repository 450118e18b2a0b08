import type { AwsPrivateCABackend } from '../api/generated/types.ts';
import { ANY_CERTIFICATE, type BackendDefinition, perSecond } from './backend.ts';
import { loadedOnDemand } from './shared/on-demand.ts';

/** A CA of AWS Private CA: a request is signed by one of AWS's templates, and the certificate is fetched by its ARN. */
export const awsPrivateCA: BackendDefinition<AwsPrivateCABackend> = {
  type: 'awsPrivateCA',
  capabilities: {
    ...ANY_CERTIFICATE,
    // AWS documents RSA and ECDSA keys alone.
    keyAlgorithms: ['ECDSA', 'RSA'],
    lifetime: 'atMost',
    remote: true,
    // AWS takes 25 in a second of an account in a region, and a burst is twice this.
    rateLimit: perSecond(12),
    lifetimeQuota: 1_000_000,
    // A request that was lost can be made again as the same for 5 minutes, and its answer comes later.
    persistKey: true,
  },
  // To make tokens of any ServiceAccount would be to be any of them: a Role for the one that is used is the user's to give.
  permissions: [],
  create: (spec, deps) =>
    loadedOnDemand(async () => (await import('./aws-private-ca/backend.ts')).backendOf(spec, deps, process.env), {
      revoke: true,
    }),
};
