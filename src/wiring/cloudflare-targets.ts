import { authorityKey } from '../api/certificate-authority.ts';
import { keyOf } from '../api/parse.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { CloudflareTargets } from '../trust-targets/cloudflare/targets.ts';
import { clusterAccess } from './cluster-access.ts';
import { namespaceOf, type Services } from './services.ts';
import { authorityAddresses } from './start-authority.ts';

/** `wake` has the targets of an authority looked at. */
export function cloudflareTargets(services: Services, wake: (authority: string) => void): CloudflareTargets {
  const { client, clock, cluster, config, log, ownership } = services;
  return new CloudflareTargets({
    clock,
    ownership,
    wake,
    authorities: () => [...cluster.authorities.values(), ...cluster.clusterAuthorities.values()],
    connect: (resource, onChange) => {
      const namespace = namespaceOf(resource, services);
      const { secret, release } = referencedObjects(namespace, services, onChange);
      const access = {
        ...{ clock, log, secret, name: keyOf(resource), addresses: authorityAddresses(config) },
        clusterWide: resource.kind === 'ClusterCertificateAuthority',
        objects: clusterAccess(client, namespace, () => ownership.assert(authorityKey(resource))).objects,
      };
      return { access, release };
    },
  });
}
