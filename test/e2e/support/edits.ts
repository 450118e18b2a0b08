import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  RENEW_AT_ANNOTATION,
  type Resource,
  resourcePath,
  SECRETS,
} from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { eventually } from './eventually.ts';
import { readSecret } from './objects.ts';
import { plainApi } from './plain-api.ts';
import { revisionOf } from './secret-witness.ts';
import type { World } from './world.ts';

/** A JSON merge patch by somebody who isn't Certwheel; null takes a field away. */
export function patch(
  world: World,
  resource: Resource,
  namespace: string,
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

export async function deleteSecret(world: World, namespace: string, name: string): Promise<void> {
  await world.client.delete(SECRETS, namespace, name);
}

/** Waits until the Secret holds the certificate of that revision or a later one. */
export function untilRevision(world: World, namespace: string, name: string, revision: number, withinMs?: number) {
  return eventually(
    `Secret ${namespace}/${name} has revision ${revision}`,
    async () => {
      const secret = await readSecret(world, namespace, name);
      return secret !== undefined && revisionOf(secret.object) >= revision && secret;
    },
    withinMs,
  );
}
