import type { VaultBackend } from '../../../src/api/generated/types.ts';
import type { Backend, OfferedCa } from '../../../src/backends/backend.ts';
import type { BackendDeps } from '../../../src/backends/backend-deps.ts';
import { vault as definition } from '../../../src/backends/vault.ts';
import { systemClock } from '../../../src/clock.ts';
import { distinct } from '../../../src/pki/certificate.ts';

/** The backend by itself, in this process: for what takes too long, or isn't asked for yet, by way of a controller. */
export interface Direct {
  readonly backend: Required<Pick<Backend, 'revoke'>> & Backend;
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** What stands in each Secret; may be changed at any time. */
  readonly secrets: Map<string, Record<string, string>>;
}

interface Circumstances {
  readonly clusterWide?: boolean;
  /** A token of that ServiceAccount for that audience. */
  readonly token?: (name: string, audience: string) => Promise<string>;
}

export function direct(
  spec: Readonly<Record<string, unknown>>,
  secrets: Record<string, Record<string, string>> = {},
  { clusterWide = true, token }: Circumstances = {},
) {
  const content = new Map(Object.entries(secrets));
  const logged: Direct['logged'] = [];
  const warn = (message: string, fields: Record<string, unknown> = {}) => void logged.push({ message, fields });
  // The issuer that the mount offers signs at once, as the first one of an authority does.
  let offered: OfferedCa | undefined;
  const deps = {
    signing: () => offered && { version: 1, path: offered.path, issuerRef: offered.ref },
    name: 'ns/ca',
    clusterWide,
    clock: systemClock,
    addresses: { loopback: true },
    log: { debug: warn, info: warn, warn, error: warn },
    objects: { namespace: 'ns' },
    serviceAccountToken: async (name: string, audience: string) => (await token?.(name, audience)) ?? '',
    secret: async (name: string) => {
      const found = content.get(name);
      return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value)]));
    },
  } as unknown as BackendDeps;
  const made = definition.create({ mount: 'pki', ...spec } as unknown as VaultBackend, deps) as Direct['backend'];
  const look = async (signal: AbortSignal) => {
    const trust = await made.trust(signal);
    offered = trust.offered;
    return trust;
  };
  const backend: Direct['backend'] = {
    ...made,
    trust: async (signal) => {
      const { offered: first, anchors, ...trust } = await look(signal);
      return { ...trust, anchors: distinct([...anchors, ...(first === undefined ? [] : [first.path.anchor])]) };
    },
    check: async (signal) => {
      if (offered === undefined) await look(signal);
      await made.check(signal);
    },
    issue: async (request, signal) => {
      if (offered === undefined) await look(signal);
      return made.issue(request, signal);
    },
  };
  return { backend, logged, secrets: content };
}
