import type { RawObject } from '../api/parse.ts';
import { ApiError, RetryableError, TerminalError } from '../errors.ts';
import { isAdoptable, isOurs, type Observed } from './observed.ts';
import { type SecretData, type SecretManifest, secretManifest } from './secret-manifest.ts';
import type { SecretMemory } from './secret-memory.ts';
import { type SecretView, viewSecret } from './secret-view.ts';

/** The Secrets of certificates, one by one, past the cache. */
export interface SecretAccess {
  get(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Server-side apply; answers what is stored now. */
  apply(manifest: SecretManifest): Promise<SecretView>;
}

export interface PublishDeps {
  readonly secrets: SecretAccess;
  /** Throws where another replica leads by now; asked before each outside effect. */
  readonly assertLeading: () => void;
}

/** How often a write is tried again when somebody else wrote in between. */
const WRITE_ATTEMPTS = 4;

/**
 * One server-side apply, on the condition that the Secret still is what was looked at. After a lost race or a lost
 * answer the Secret itself is asked what holds, so that a certificate that was paid for isn't thrown away.
 */
export async function publish(
  seen: Observed,
  data: SecretData,
  memory: Omit<SecretMemory, 'templateKeys'>,
  serialNumber: string,
  deps: PublishDeps,
): Promise<SecretView> {
  const { resource } = seen;
  let current = seen.secret;
  for (let attempt = 1; ; attempt++) {
    deps.assertLeading();
    try {
      return await deps.secrets.apply(secretManifest(resource, data, memory, current));
    } catch (error) {
      if (!isUncertain(error) || attempt === WRITE_ATTEMPTS) throw error;
      const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
      current = live && viewSecret(live);
      if (current === undefined) continue;
      const now = { resource, secret: current };
      if (!isOurs(now) && !isAdoptable(now))
        throw new TerminalError('SecretNotOwned', `Secret ${current.name} exists and is not this ClientCertificate's`);
      if (isOurs(now) && current.memory.revision >= memory.revision) {
        if (current.certificate?.serialNumber === serialNumber && current.memory.revision === memory.revision)
          return current;
        throw new RetryableError('Conflict', `revision ${current.memory.revision} was published meanwhile`, {
          cause: error,
        });
      }
    }
  }
}

/** Lost a race (409), or nobody knows whether the write happened (no answer, 5xx). */
function isUncertain(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 0 || error.status >= 500);
}

/** The same write may well succeed a little later. */
export function mayPass(error: ApiError): boolean {
  return isUncertain(error) || error.status === 429;
}
