import * as names from '../../api/names.ts';
import { keyOf, type RawObject } from '../../api/parse.ts';
import { classify } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Ownership } from '../../ownership.ts';
import type { Observed } from '../observed.ts';
import { isRefusal, type RecentActs } from '../recent.ts';
import type { SecretManifest } from './manifest.ts';
import type { SecretContent } from './read-content.ts';
import { holdsKey } from './secret-type.ts';
import { alteredError, type Remainder, takeBack } from './take-back.ts';
import type { SecretView } from './view.ts';

/** A Secret as the API server stored it. */
export interface StoredSecret {
  readonly view: SecretView;
  /** The first field that is stored otherwise than it was sent. */
  readonly altered: string | undefined;
}

/** The Secrets of certificates, one by one, past the cache. */
export interface SecretAccess {
  get(namespace: string, name: string): Promise<RawObject | undefined>;
  /**
   * Server-side apply. `content` is what the manifest's data is known to hold; of `formerFiles`, keys that the Secret had from an
   * earlier one, none is left that isn't in this one.
   */
  apply(manifest: SecretManifest, content?: SecretContent, formerFiles?: readonly string[]): Promise<StoredSecret>;
  /** The same with admission and validation, and without storing anything: the field that would be stored otherwise. */
  rehearse(manifest: SecretManifest): Promise<string | undefined>;
  /** On the condition that it still is this very version. */
  remove(secret: SecretView): Promise<void>;
}

export interface WriteDeps {
  readonly secrets: SecretAccess;
  readonly recent: RecentActs;
  readonly log: Logger;
  readonly ownership: Ownership;
}

/** Writes a Secret and compares what is stored with what was sent; throws a RetryableError SecretAltered where they differ. */
export async function writeSecret(
  { resource, secret }: Pick<Observed, 'resource' | 'secret'>,
  manifest: SecretManifest,
  content: SecretContent | undefined,
  deps: WriteDeps,
): Promise<SecretView> {
  deps.ownership.assert(keyOf(resource));
  const { view, altered } = await deps.secrets.apply(manifest, content, secret?.files.split(','));
  deps.recent.wrote(resource, view, altered);
  if (altered === undefined) return view;
  // Where there was no Secret before, none is better than one that workloads can't use or that has lost its owner.
  const remainder = secret === undefined ? await takeNewBack(view, manifest, altered, deps) : undefined;
  throw alteredError(view, altered, remainder);
}

/** Answers undefined where the Secret is of use as it is, or is not what was written any more. */
async function takeNewBack(
  view: SecretView,
  manifest: SecretManifest,
  altered: string,
  { secrets, log }: WriteDeps,
): Promise<Remainder | undefined> {
  const { namespace, name, uid, resourceVersion } = view;
  const isOfUse = !isVital(altered);
  const data = holdsKey(manifest.type) ? EMPTY : { 'tls.crt': '', 'ca.crt': '' };
  const blank = { ...manifest, metadata: { ...manifest.metadata, uid, resourceVersion }, data };
  try {
    const remainder = await takeBack(
      () => secrets.remove(view),
      async () => isOfUse || (await secrets.apply(blank)),
    );
    return isOfUse ? undefined : remainder;
  } catch (error) {
    log.warn('a Secret could not be removed', { namespace, name, error: classify(error).message });
    return undefined;
  }
}

/** The type of a Secret with a key demands the first two. */
const EMPTY = { 'tls.crt': '', 'tls.key': '', 'ca.crt': '' };

/** Whether the Secret is of no use without this field as it was sent, or no longer Certwheel's. */
export function isVital(field: string): boolean {
  return (
    field.startsWith('data') ||
    field === 'type' ||
    field.endsWith(names.CERTIFICATE_NAME_LABEL) ||
    field.endsWith(names.CERTIFICATE_UID_ANNOTATION)
  );
}

/** Whether the last write went wrong in a way that the next one may, so that it is rehearsed before anything is signed. */
export function isSuspect({ recent, resource }: Observed): boolean {
  const isRefused = recent?.refused === true || isRefusal(resource.status.lastFailure?.reason);
  return isRefused || recent?.altered !== undefined;
}
