import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { keyOf } from '../api/parse.ts';
import { bookedOf } from '../authority/booked.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { createRuntime, type Runtime } from '../authority/runtime.ts';
import type { BackendDefinition } from '../backends/backend.ts';
import type { BackendDeps } from '../backends/backend-deps.ts';
import type { AddressRules } from '../backends/http/address.ts';
import { networkList } from '../backends/http/networks.ts';
import type { Config } from '../config.ts';
import type { Call } from '../queue/turnstile.ts';
import { isInBundle, signingOf } from '../rotation/generation.ts';
import { backendState } from './backend-state.ts';
import { clusterAccess } from './cluster-access.ts';
import { namespaceOf, type Services, shareOf } from './services.ts';

/** Makes the runtime of an authority. `wake` has the authority reconciled, `call` says to a certificate that it is its turn. */
export function startAuthority(
  resource: CertificateAuthority,
  services: Services,
  wake: () => void,
  call: Call,
): Runtime {
  const { clock, definitions, metrics } = services;
  const definition = definitions.find(({ type }) => type === resource.type);
  // The schema admits only what there is a definition for; a test holds the two against each other.
  if (definition === undefined) throw new Error(`no backend ${resource.type} is known`);
  return createRuntime(resource, {
    definition,
    clock,
    wake,
    call,
    connect: (onChange) => {
      const objects = referencedObjects(namespaceOf(resource, services), services, onChange);
      return { backend: backendOf(resource, definition, objects, services), release: objects.release };
    },
    answered: (seconds) => metrics.authorityAnswered(definition.type, seconds),
    share: shareOf(resource, services),
  });
}

/** Where the servers that authorities name may be. */
export function authorityAddresses({ loopbackAuthorities, authorityNetworks }: Config): AddressRules {
  return { loopback: loopbackAuthorities, networks: authorityNetworks && networkList(authorityNetworks) };
}

function backendOf(
  resource: CertificateAuthority,
  definition: BackendDefinition<never>,
  references: Pick<BackendDeps, 'secret' | 'configMap'>,
  services: Services,
) {
  const { booksKey, client, clock, cluster, config, log, registry, sharding } = services;
  const { uid, revocation } = resource;
  // Several replicas sign for an authority of the cluster, each for its own namespaces.
  const assertOwned =
    resource.kind === 'ClusterCertificateAuthority'
      ? sharding.assertActive
      : () => sharding.assert(authorityKey(resource));
  const generations = () => registry.get(authorityKey(resource))?.generations ?? [];
  return definition.create(resource.backend as never, {
    name: keyOf(resource),
    uid,
    clusterWide: resource.kind === 'ClusterCertificateAuthority',
    clock,
    log,
    addresses: authorityAddresses(config),
    hsm: config.hsm,
    secret: references.secret,
    configMap: references.configMap,
    ...clusterAccess(client, namespaceOf(resource, services), assertOwned),
    objectsOf: (namespace) => clusterAccess(client, namespace, assertOwned).objects,
    state: backendState(resource, namespaceOf(resource, services), client, assertOwned),
    signing: () => {
      const runtime = registry.get(authorityKey(resource));
      return runtime && signingOf(runtime, clock.now());
    },
    trusted: () =>
      generations()
        .filter(isInBundle)
        .map(({ path }) => path),
    revocation:
      revocation.url === undefined ? undefined : { uid, url: revocation.url, serialKey: () => booksKey.serialKey(uid) },
    owns: () => isHeld(sharding, authorityKey(resource)),
    booked: () => bookedOf(authorityKey(resource), cluster),
  });
}

function isHeld(sharding: Services['sharding'], key: string): boolean {
  try {
    sharding.assert(key);
    return true;
  } catch {
    return false;
  }
}
