import type { VaultBackend } from '../../../src/api/generated/types.ts';
import type { Backend, BackendDeps } from '../../../src/backends/backend.ts';
import { vault as definition } from '../../../src/backends/vault.ts';
import { systemClock } from '../../../src/clock.ts';

/** The backend by itself, in this process: for what takes too long, or isn't asked for yet, by way of a controller. */
export interface Direct {
  readonly backend: Required<Pick<Backend, 'revoke'>> & Backend;
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** What stands in each Secret; may be changed at any time. */
  readonly secrets: Map<string, Record<string, string>>;
}

export function direct(spec: Readonly<Record<string, unknown>>, secrets: Record<string, Record<string, string>> = {}) {
  const content = new Map(Object.entries(secrets));
  const logged: Direct['logged'] = [];
  const warn = (message: string, fields: Record<string, unknown> = {}) => void logged.push({ message, fields });
  const deps = {
    name: 'ns/ca',
    clusterWide: true,
    clock: systemClock,
    addresses: { loopback: true },
    log: { debug: warn, info: warn, warn, error: warn },
    objects: { namespace: 'ns' },
    secret: async (name: string) => {
      const found = content.get(name);
      return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value)]));
    },
  } as unknown as BackendDeps;
  const backend = definition.create({ mount: 'pki', ...spec } as unknown as VaultBackend, deps) as Direct['backend'];
  return { backend, logged, secrets: content };
}
