import { SECRETS } from '../api/names.ts';
import { Ledgers } from '../authority/ledgers.ts';
import { RetryableError } from '../errors.ts';
import { fieldAltered } from '../kube/difference.ts';
import { namespaceOf, type Services } from './services.ts';

/** What keeps the certificates that no Secret tells of any more. */
export function wireLedgers(services: Services): Ledgers {
  const { client, clock, cluster, log, ownership } = services;
  return new Ledgers({
    clock,
    log,
    ownership,
    exists: (authority) => cluster.authority(authority) !== undefined,
    labelsOf: (namespace) => cluster.namespaces.get(namespace),
    namespaceOf: (resource) => namespaceOf(resource, services),
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest) => {
      const altered = fieldAltered(manifest, await client.apply(SECRETS, manifest));
      if (altered !== undefined)
        throw new RetryableError('SecretAltered', `${altered} is stored otherwise than it was sent`);
    },
  });
}
