import type { GoogleCASBackend } from '../../../src/api/generated/types.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import type { BackendDeps } from '../../../src/backends/backend-deps.ts';
import { backendOf } from '../../../src/backends/google-cas/backend.ts';
import type { Environment } from '../../../src/backends/google-cas/metadata.ts';
import type { Clock } from '../../../src/clock.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Spec } from './subject.ts';

export interface DirectOptions {
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly clusterWide?: boolean;
  readonly environment?: Environment;
  readonly clock?: Clock;
  serviceAccountToken?(name: string, audience: string, seconds: number): Promise<string>;
}

/** The backend by itself, in this process, without a cluster around it: its Secrets are what is given. */
export function directGoogle(spec: Spec, options: DirectOptions = {}): Backend & Required<Pick<Backend, 'revoke'>> {
  const { secrets = {}, clusterWide = false, environment = {}, clock = systemClock, serviceAccountToken } = options;
  const quiet = () => {};
  const deps = {
    name: 'shop/ca',
    clusterWide,
    clock,
    addresses: { loopback: true },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    objects: { namespace: 'shop' },
    secret: async (name: string) => {
      const content = secrets[name];
      return content && Object.fromEntries(Object.entries(content).map(([key, text]) => [key, Buffer.from(text)]));
    },
    serviceAccountToken: serviceAccountToken ?? (() => Promise.reject(new Error('no tokens here'))),
  } as unknown as BackendDeps;
  return backendOf(spec as GoogleCASBackend, deps, environment) as Backend & Required<Pick<Backend, 'revoke'>>;
}
