import { X509Certificate } from 'node:crypto';
import type { AuthorityStatus, ClientCertificateStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { provesSoon } from './moments.ts';
import type { World } from './world.ts';

/** A CA rotation that waits for no more than the flags of the controller say. */
export const AT_ONCE = { soak: '0s', retireAfter: '0s' };

/** A self-managed CertificateAuthority. */
export function selfManaged(namespace: string, name = 'ca', spec: Record<string, unknown> = {}) {
  const backend = { selfManaged: { commonName: `Test ${name}` } };
  return { metadata: { namespace, name }, spec: { ...backend, caRotation: AT_ONCE, ...spec } };
}

/** A ClientCertificate whose Secret is called after it. */
export function clientCertificate(
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
  annotations: Record<string, string> = {},
) {
  return {
    metadata: { namespace, name, annotations },
    spec: { authorityRef: { name: 'ca' }, secretName: `${name}-tls`, commonName: name, ...spec },
  };
}

/** Creates it over HTTP, which is much faster than kubectl. */
export function create({ client }: World, object: ReturnType<typeof clientCertificate>): Promise<RawObject> {
  return client.create(CLIENT_CERTIFICATES, object);
}

export function createAuthority({ client }: World, object: ReturnType<typeof selfManaged>): Promise<RawObject> {
  return client.create(CERTIFICATE_AUTHORITIES, object);
}

export async function statusOf({ client }: World, namespace: string, name: string): Promise<ClientCertificateStatus> {
  return ((await client.get(CLIENT_CERTIFICATES, namespace, name))?.status ?? {}) as ClientCertificateStatus;
}

export async function authorityStatusOf({ client }: World, namespace: string, name: string): Promise<AuthorityStatus> {
  return ((await client.get(CERTIFICATE_AUTHORITIES, namespace, name))?.status ?? {}) as AuthorityStatus;
}

export function conditionOf(status: ClientCertificateStatus | AuthorityStatus, type: string) {
  return status.conditions?.find((each) => each.type === type);
}

/**
 * Waits until the condition is as wanted (Ready=True unless told), for the current generation of the object. `withinMs` is
 * how soon that must be written from now on.
 */
export async function untilReady(
  world: World,
  namespace: string,
  name: string,
  wanted: { type?: string; status?: string; reason?: string } = {},
  withinMs?: number,
) {
  const { type = 'Ready', status = 'True', reason } = wanted;
  const what = `${namespace}/${name} has ${type}=${status}${reason === undefined ? '' : ` with reason ${reason}`}`;
  const fromMs = Date.now();
  const ask = async () => {
    const object = await world.client.get(CLIENT_CERTIFICATES, namespace, name);
    const found = (object?.status ?? {}) as ClientCertificateStatus;
    const condition = conditionOf(found, type);
    const current = found.observedGeneration === object?.metadata?.generation;
    const wished = condition?.status === status && (reason === undefined || condition.reason === reason);
    return current && wished && { ...object, status: found };
  };
  const object = await eventually(what, ask, PATIENCE_MS + (withinMs ?? 0));
  if (withinMs !== undefined) provesSoon(what, object, fromMs, withinMs);
  return object.status;
}

/** What a workload would mount. */
export interface MountedSecret {
  readonly object: RawObject;
  readonly leaf: X509Certificate;
  readonly chain: string;
  readonly key: string;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export async function readSecret(
  { client }: World,
  namespace: string,
  name: string,
): Promise<MountedSecret | undefined> {
  const object = await client.get(SECRETS, namespace, name);
  return object && mounted(object);
}

export function mounted(object: RawObject): MountedSecret {
  const text = (key: string) => Buffer.from(object.data?.[key] ?? '', 'base64').toString();
  const { annotations = {}, labels = {} } = object.metadata ?? {};
  return {
    object,
    leaf: new X509Certificate(text('tls.crt')),
    chain: text('tls.crt'),
    key: text('tls.key'),
    bundle: text('ca.crt'),
    annotations,
    labels,
  };
}
