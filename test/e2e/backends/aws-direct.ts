import type { AwsPrivateCABackend } from '../../../src/api/generated/types.ts';
import type { Environment } from '../../../src/backends/aws-private-ca/ambient.ts';
import { backendOf } from '../../../src/backends/aws-private-ca/backend.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import type { BackendDeps } from '../../../src/backends/backend-deps.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { FakeAws } from './servers/aws.ts';
import type { Keys } from './servers/aws-sts.ts';

export const KEY_SECRET = 'aws-key';

interface Circumstances {
  readonly clusterWide?: boolean;
  readonly clock?: Clock;
  readonly environment?: Environment;
  /** A token of that ServiceAccount for that audience. */
  readonly token?: (name: string, audience: string) => Promise<string>;
}

/** The backend by itself, in this process, of the cluster kind unless told. The Secret `aws-key` holds what `keys` has at the moment. */
export function direct(
  spec: Readonly<Record<string, unknown>>,
  keys: { current: Keys },
  { clusterWide = true, clock = systemClock, environment = {}, token }: Circumstances = {},
): Required<Pick<Backend, 'revoke'>> & Backend {
  const silent = () => {};
  const deps = {
    name: 'shop/ca',
    clusterWide,
    clock,
    addresses: { loopback: true },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    objects: { namespace: 'shop' },
    secret: async (name: string) => (name === KEY_SECRET ? secretOf(keys.current) : undefined),
    serviceAccountToken: async (name: string, audience: string) => (await token?.(name, audience)) ?? '',
  } as unknown as BackendDeps;
  const backend = backendOf(spec as unknown as AwsPrivateCABackend, deps, environment);
  return backend as Required<Pick<Backend, 'revoke'>> & Backend;
}

/** `spec.awsPrivateCA` for that fake, with the key in the Secret `aws-key`, unless told otherwise. */
export function awsSpec(aws: FakeAws, spec: Readonly<Record<string, unknown>> = {}) {
  const { url, arn, tlsCa } = aws;
  const auth = { secretRef: { name: KEY_SECRET } };
  return { arn, endpoint: url, stsEndpoint: url, caBundle: Buffer.from(tlsCa).toString('base64'), auth, ...spec };
}

/** What the Secret of an access key holds, decoded. */
export function secretOf({ accessKeyId, secretAccessKey, sessionToken }: Keys): Record<string, Buffer> {
  return {
    'access-key-id': Buffer.from(accessKeyId),
    // With the newline that editors leave behind.
    'secret-access-key': Buffer.from(`${secretAccessKey}\n`),
    ...(sessionToken === undefined ? {} : { 'session-token': Buffer.from(sessionToken) }),
  };
}
