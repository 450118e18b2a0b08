import type { RawObject } from '../../api/parse.ts';
import { classify, RetryableError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Observed } from '../observed.ts';
import type { RecentActs } from '../recent.ts';
import type { SecretContent } from './content.ts';
import type { SecretManifest } from './manifest.ts';
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
  /** Server-side apply. `content` is what the manifest's data is known to hold. */
  apply(manifest: SecretManifest, content?: SecretContent): Promise<StoredSecret>;
  /** The same with admission and validation, and without storing anything: the field that would be stored otherwise. */
  rehearse(manifest: SecretManifest): Promise<string | undefined>;
  /** On the condition that it still is this very version. */
  remove(secret: SecretView): Promise<void>;
}

export interface WriteDeps {
  readonly secrets: SecretAccess;
  readonly recent: RecentActs;
  readonly log: Logger;
  /** Throws where another replica leads by now; called before each outside effect. */
  readonly assertLeading: () => void;
}

/** Writes a Secret and compares what is stored with what was sent; throws a RetryableError SecretAltered where they differ. */
export async function writeSecret(
  { resource, secret }: Pick<Observed, 'resource' | 'secret'>,
  manifest: SecretManifest,
  content: SecretContent | undefined,
  deps: WriteDeps,
): Promise<SecretView> {
  deps.assertLeading();
  const { view, altered } = await deps.secrets.apply(manifest, content);
  deps.recent.wrote(resource, view, altered);
  if (altered === undefined) return view;
  // Where there was no Secret before, none is better than one that workloads can't use or that has lost its owner.
  if (secret === undefined)
    await deps.secrets.remove(view).catch((error: unknown) => {
      const { namespace, name } = view;
      deps.log.warn('a Secret could not be removed', { namespace, name, error: classify(error).message });
    });
  throw alteredError(resource.spec.secretName, altered);
}

/** Whether the last write went wrong in a way that the next one may, so that it is rehearsed before anything is signed. */
export function isSuspect({ recent, resource }: Observed): boolean {
  const isRefused = recent?.refused === true || resource.status.lastFailure?.reason === 'SecretRefused';
  return isRefused || recent?.altered !== undefined;
}

export function alteredError(secretName: string, field: string): RetryableError {
  return new RetryableError(
    'SecretAltered',
    `Secret ${secretName} is stored otherwise than Certwheel sent it (${field}), so a mutating admission webhook or policy changes it; exempt the Secrets with labels of certwheel.io from it`,
  );
}
