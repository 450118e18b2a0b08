import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  RENEW_AT_ANNOTATION,
  type Resource,
  resourcePath,
  SECRETS,
} from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { provesSoon } from './moments.ts';
import { type MountedSecret, mounted } from './objects.ts';
import { plainApi } from './plain-api.ts';
import { revisionOf } from './secret-witness.ts';
import type { World } from './world.ts';

/** A JSON merge patch by somebody who isn't Certwheel; null takes a field away. */
export function patch(
  world: World,
  resource: Resource,
  namespace: string | undefined,
  name: string,
  change: object,
): Promise<RawObject> {
  const path = resourcePath(resource, namespace, name);
  return plainApi(world.cluster).send('PATCH', path, change, 'application/merge-patch+json');
}

export function patchSecret(world: World, namespace: string, name: string, change: object): Promise<RawObject> {
  return patch(world, SECRETS, namespace, name, change);
}

export function patchCertificate(world: World, namespace: string, name: string, change: object): Promise<RawObject> {
  return patch(world, CLIENT_CERTIFICATES, namespace, name, change);
}

export function patchAuthority(world: World, namespace: string, name: string, change: object): Promise<RawObject> {
  return patch(world, CERTIFICATE_AUTHORITIES, namespace, name, change);
}

/** Sets the renew-at annotation, to this moment unless told. */
export function renewAt(world: World, namespace: string, name: string, moment: string = new Date().toISOString()) {
  return patchCertificate(world, namespace, name, { metadata: { annotations: { [RENEW_AT_ANNOTATION]: moment } } });
}

export function createSecret(
  world: World,
  namespace: string,
  name: string,
  content: {
    readonly type?: string;
    readonly data?: Readonly<Record<string, string>> | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  } = {},
): Promise<RawObject> {
  const { labels = {}, annotations = {}, type = 'Opaque', data = {} } = content;
  return plainApi(world.cluster).send('POST', resourcePath(SECRETS, namespace), {
    metadata: { name, labels, annotations },
    type,
    data,
  });
}

/** Creates it as a backup tool or a replicator does: with all that it was given, under a uid of its own. */
export function restoreSecret(
  world: World,
  namespace: string,
  { metadata, ...content }: RawObject,
  annotations: Readonly<Record<string, string>> = {},
): Promise<RawObject> {
  const { name, labels, annotations: kept } = metadata ?? {};
  return plainApi(world.cluster).send('POST', resourcePath(SECRETS, namespace), {
    ...content,
    metadata: { name, labels, annotations: { ...kept, ...annotations } },
  });
}

export async function deleteSecret(world: World, namespace: string, name: string): Promise<void> {
  await world.client.delete(SECRETS, namespace, name);
}

/**
 * Waits until the Secret holds the certificate of that revision or a later one. `withinMs` is how soon that must be written
 * from now on.
 */
export async function untilRevision(
  world: World,
  namespace: string,
  name: string,
  revision: number,
  withinMs?: number,
): Promise<MountedSecret> {
  const what = `Secret ${namespace}/${name} has revision ${revision}`;
  const fromMs = Date.now();
  const ask = async () => {
    const object = await world.client.get(SECRETS, namespace, name);
    return object !== undefined && revisionOf(object) >= revision && object;
  };
  const object = await eventually(what, ask, PATIENCE_MS + (withinMs ?? 0));
  if (withinMs !== undefined) provesSoon(what, object, fromMs, withinMs);
  // Not before: what it held until then may have been spoilt by the test.
  return mounted(object);
}
