import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { keyOf } from '../api/parse.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { createRuntime, type Runtime } from '../authority/runtime.ts';
import type { BackendDefinition, BackendDeps } from '../backends/backend.ts';
import type { AddressRules } from '../backends/http/address.ts';
import { networkList } from '../backends/http/networks.ts';
import type { Config } from '../config.ts';
import type { Call } from '../queue/turnstile.ts';
import { isInBundle, signingOf } from '../rotation/generation.ts';
import { clusterAccess } from './cluster-access.ts';
import { namespaceOf, type Services } from './services.ts';

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
  const { client, clock, config, log, registry } = services;
  const generations = () => registry.get(authorityKey(resource))?.generations ?? [];
  return definition.create(resource.backend as never, {
    name: keyOf(resource),
    clusterWide: resource.kind === 'ClusterCertificateAuthority',
    clock,
    log,
    addresses: authorityAddresses(config),
    secret: references.secret,
    configMap: references.configMap,
    ...clusterAccess(client, namespaceOf(resource, services)),
    signing: () => {
      const runtime = registry.get(authorityKey(resource));
      return runtime && signingOf(runtime, clock.now());
    },
    trusted: () =>
      generations()
        .filter(isInBundle)
        .map(({ path }) => path),
  });
}
