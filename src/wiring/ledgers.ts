import { allowsNamespace, isBrokenAuthority } from '../api/certificate-authority.ts';
import { SECRETS } from '../api/names.ts';
import { Ledgers } from '../authority/ledgers.ts';
import { RetryableError } from '../errors.ts';
import { fieldAltered } from '../kube/difference.ts';
import { namespaceOf, type Services } from './services.ts';

/** The ledgers beside the authorities, with access to the API server. */
export function wireLedgers(services: Services): Ledgers {
  const { booksKey, client, clock, cluster, log, ownership, registry, sharding } = services;
  return new Ledgers({
    clock,
    log,
    ownership,
    isOwned: sharding.owns,
    seal: booksKey.seal,
    mayHaveIssued: (authority, namespace, proof) => {
      const resource = cluster.authority(authority);
      if (resource === undefined || isBrokenAuthority(resource) || proof === 'sealed') return resource !== undefined;
      const served = allowsNamespace(resource.allowedNamespaces, namespace, cluster.namespaces.get(namespace));
      // A namespace that has lost its label holds what is to be revoked.
      const trust = registry.get(authority)?.view?.trust.anchors;
      return served !== false || proof().some((each) => trust?.has(each));
    },
    namespaceOf: (resource) => namespaceOf(resource, services),
    secretsOf: (authority) =>
      Map.groupBy(cluster.secrets.byIndex('authority', authority), (each) =>
        'namespace' in each ? each.namespace : '',
      ),
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest) => {
      const altered = fieldAltered(manifest, await client.apply(SECRETS, manifest));
      if (altered !== undefined)
        throw new RetryableError('SecretAltered', `${altered} is stored otherwise than it was sent`);
    },
  });
}
