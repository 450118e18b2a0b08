import type { CloudflareBackend } from '../../../src/api/generated/types.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import type { BackendDeps, BookedCertificate } from '../../../src/backends/backend-deps.ts';
import { cloudflare as definition } from '../../../src/backends/cloudflare.ts';
import type { Clock } from '../../../src/clock.ts';
import { systemClock } from '../../../src/clock.ts';
import { type CloudflareWorld, cloudflareSpec, newToken, TOKEN_SECRET } from './cloudflare-world.ts';

/** The backend by itself, in this process. */
export interface Direct {
  readonly backend: Backend & Required<Pick<Backend, 'revoke' | 'forget'>>;
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** What the Secrets list; may be changed at any time. */
  booked: readonly BookedCertificate[];
  token: string;
  /** Whether this replica has the authority. */
  owns: boolean;
  /** How much later than the clock of this host it is, in milliseconds. */
  laterMs: number;
}

export function direct(world: CloudflareWorld, spec: Readonly<Record<string, unknown>> = {}): Direct {
  return directTo(cloudflareSpec(world, spec), () => newToken(world.fake));
}

/** The same for any spec. */
export function directTo(spec: Readonly<Record<string, unknown>>, token: () => string): Direct {
  const logged: Direct['logged'] = [];
  const log = (message: string, fields: Record<string, unknown> = {}) => void logged.push({ message, fields });
  const clock: Clock = Object.create(systemClock, {
    now: { value: () => new Date(systemClock.now().getTime() + made.laterMs) },
  });
  const deps = {
    name: 'ns/ca',
    clusterWide: true,
    clock,
    addresses: { loopback: true },
    log: { debug: log, info: log, warn: log, error: log },
    objects: { namespace: 'ns' },
    secret: async (name: string) => (name === TOKEN_SECRET ? { token: Buffer.from(made.token) } : undefined),
    booked: () => made.booked,
    owns: () => made.owns,
  } as unknown as BackendDeps;
  const backend = definition.create(spec as unknown as CloudflareBackend, deps) as Direct['backend'];
  const made: Direct = { backend, logged, booked: [], token: token(), owns: true, laterMs: 0 };
  return made;
}
