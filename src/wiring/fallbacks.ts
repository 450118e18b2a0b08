import { fallbackKey } from '../api/certificate-authority.ts';
import { SECRETS } from '../api/names.ts';
import { Fallbacks } from '../authority/fallbacks.ts';
import type { Member } from '../rotation/plan-types.ts';
import { applyWhole } from './secret-access.ts';
import { namespaceOf, type Services } from './services.ts';

/** What authorities keep of their fallbacks, with access to the API server. `members` are those of one authority alone. */
export function wireFallbacks(services: Services, members: (key: string) => readonly Member[]): Fallbacks {
  const { client, clock, cluster, log, ownership, registry } = services;
  return new Fallbacks({
    clock,
    log,
    ownership,
    runtimeOf: (resource) => registry.current(cluster.authority(fallbackKey(resource) ?? '')),
    members,
    namespaceOf: (resource) => namespaceOf(resource, services),
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: (manifest) => applyWhole(client, manifest),
  });
}
