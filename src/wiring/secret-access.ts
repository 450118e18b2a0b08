import { CERTIFICATE_NAME_LABEL, SECRETS } from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import type { NextKeyAccess } from '../certificate/request/deps.ts';
import { viewNextKey } from '../certificate/request/next-key.ts';
import type { SecretManifest } from '../certificate/secret/manifest.ts';
import { alteredError, takeBack } from '../certificate/secret/take-back.ts';
import { viewSecret } from '../certificate/secret/view.ts';
import type { SecretAccess } from '../certificate/secret/write.ts';
import { ApiError, RetryableError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { fieldAltered } from '../kube/difference.ts';
import { CREATE_ONLY, type Writable } from '../kube/object.ts';
import type { WriteOptions } from '../kube/options.ts';
import type { Services } from './services.ts';

/** Reads past the cache, and writes into it: the next look must see what was just written. */
export function secretAccess({ client, cluster }: Services): SecretAccess {
  return {
    get: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest, content, formerFiles = []) => {
      const { sent, stored, version } = await applyWithout(client, manifest, formerFiles);
      const altered = fieldAltered(sent, stored);
      // What was proven before it was written needn't be proven again, unless something in between has changed it.
      const reduce = (object: RawObject) => viewSecret(object, altered === undefined ? content : undefined);
      // Without its label the watch would never say that it is gone.
      if (stored.metadata?.labels?.[CERTIFICATE_NAME_LABEL] !== undefined) cluster.secrets.put(stored, version, reduce);
      const cached = cluster.secret(keyOf(manifest.metadata));
      const isKnown = cached !== undefined && cached.resourceVersion === stored.metadata?.resourceVersion;
      return { view: isKnown ? cached : reduce(stored), altered };
    },
    rehearse: async (manifest) => {
      const { sent, stored } = await applyOwned(client, manifest, { dryRun: true });
      return fieldAltered(sent, stored);
    },
    remove: async ({ namespace, name, uid, resourceVersion }) => {
      await client.delete(SECRETS, namespace, name, { uid, resourceVersion });
      cluster.secrets.remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
  };
}

/**
 * Applies a Secret, and sees to it that of `formerFiles` only those are left that it has. A key that another manager owns as well
 * survives an apply without it (Kubernetes, "Server-Side Apply": shared field owners), such as after a restore from a backup, and it
 * may hold a private key. Another value takes the key from that manager; then it goes. `version` is that before the last write.
 */
async function applyWithout(client: KubeClient, manifest: SecretManifest, formerFiles: readonly string[]) {
  let applied = await applyOwned(client, manifest);
  let version = manifest.metadata.resourceVersion;
  const { data = {} } = applied.stored;
  const left = formerFiles.filter((name) => Object.hasOwn(data, name) && !Object.hasOwn(manifest.data, name));
  if (left.length === 0 || fieldAltered(applied.sent, applied.stored) !== undefined) return { ...applied, version };
  const emptied = { ...manifest.data, ...Object.fromEntries(left.map((name) => [name, ''])) };
  for (const each of [emptied, manifest.data]) {
    const { uid = '', resourceVersion = '' } = applied.stored.metadata ?? {};
    version = resourceVersion;
    applied = await applyOwned(client, {
      ...manifest,
      metadata: { ...manifest.metadata, uid, resourceVersion },
      data: each,
    });
  }
  return { ...applied, version };
}

/** Kubernetes, "Owners and Dependents": one owner at most may be the controller, and garbage collection needs none. */
const CONTROLLER_TAKEN = /Only one reference can have Controller set to true/;

/** Applies a Secret; where another owner is its controller, ours is an owner like others. */
async function applyOwned(client: KubeClient, sent: SecretManifest, options?: WriteOptions) {
  try {
    return { sent, stored: await client.apply(SECRETS, sent, options) };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422 || !CONTROLLER_TAKEN.test(error.message)) throw error;
    const { metadata } = sent;
    const ownerReferences = metadata.ownerReferences.map(({ controller: _, ...owner }) => owner);
    const modest = { ...sent, metadata: { ...metadata, ownerReferences } };
    return { sent: modest, stored: await client.apply(SECRETS, modest, options) };
  }
}

/** The keys themselves are read past the cache, which holds none. */
export function nextKeyAccess({ client, cluster }: Services): NextKeyAccess {
  return {
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: async (manifest) => {
      const stored = await applyWhole(client, manifest);
      cluster.nextKeys.put(stored, manifest.metadata.resourceVersion);
      return viewNextKey(stored);
    },
    delete: async ({ namespace, name, uid, resourceVersion }) => {
      try {
        await client.delete(SECRETS, namespace, name, { uid });
      } catch (error) {
        // Another one by now, which the watch will bring.
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
      }
      cluster.nextKeys.remove(namespace, { metadata: { namespace, name, resourceVersion } });
    },
  };
}

/** Applies a Secret that keeps texts. Throws a RetryableError SecretAltered where it is stored otherwise. */
export async function applyUnaltered(client: Pick<KubeClient, 'apply'>, manifest: Writable): Promise<RawObject> {
  const stored = await client.apply<RawObject>(SECRETS, manifest);
  const altered = fieldAltered(manifest, stored);
  if (altered === undefined) return stored;
  throw new RetryableError('SecretAltered', `${altered} is stored otherwise than it was sent`);
}

/**
 * Applies a Secret that is of no use unless it is stored as it was sent. A new one that isn't is removed again: without its
 * marks it would never be found, and it holds a key.
 */
export async function applyWhole(
  client: KubeClient,
  manifest: Writable & { readonly metadata: { readonly namespace: string; readonly resourceVersion: string } },
  isNew = manifest.metadata.resourceVersion === CREATE_ONLY,
): Promise<RawObject> {
  const stored = await client.apply(SECRETS, manifest);
  const altered = fieldAltered(manifest, stored);
  if (altered === undefined) return stored;
  const { namespace, name } = manifest.metadata;
  const { uid, resourceVersion } = stored.metadata ?? {};
  if (!isNew) throw alteredError(manifest.metadata, altered);
  const remainder = await takeBack(
    () => client.delete(SECRETS, namespace, name, { uid }),
    () =>
      client.apply(SECRETS, {
        ...manifest,
        metadata: { ...manifest.metadata, uid, resourceVersion },
        data: { 'tls.crt': '', 'tls.key': '' },
      }),
  );
  throw alteredError(manifest.metadata, altered, remainder);
}
