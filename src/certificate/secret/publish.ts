import type { RawObject } from '../../api/parse.ts';
import { ApiError, RetryableError, TerminalError } from '../../errors.ts';
import { isAdoptable, isOurs, type Observed } from '../observed.ts';
import type { CertificateMemory } from './annotations.ts';
import { secretManifest } from './manifest.ts';
import type { SecretContent } from './read-content.ts';
import type { Rendered } from './render.ts';
import { type SecretView, viewSecret } from './view.ts';
import { type WriteDeps, writeSecret } from './write.ts';

export interface PublishDeps extends WriteDeps {
  /** See purposeOf: what an existing Secret is for, where that is anything but a certificate. */
  purposeOf(secret: RawObject): string | undefined;
}

/** How often a write is tried again when another client wrote in between. */
const WRITE_ATTEMPTS = 4;

/**
 * One server-side apply, on the condition that the Secret still is what was observed. After a lost race or a lost
 * answer the Secret itself is read, so that a certificate that was paid for isn't thrown away. `content`
 * is what it holds, and proven. `assertServed` rejects where it may not be published any more.
 */
export async function publish(
  seen: Observed,
  rendered: Rendered,
  memory: CertificateMemory,
  content: SecretContent,
  deps: PublishDeps,
  assertServed: () => Promise<unknown>,
): Promise<SecretView> {
  const { resource } = seen;
  // Not that of the status, which may be newer than the Secret in the cache.
  const seenRevision = seen.ours?.memory.revision ?? 0;
  let current = seen.secret;
  for (let attempt = 1; ; attempt++) {
    await assertServed();
    try {
      const manifest = secretManifest(resource, rendered, memory, current);
      return await writeSecret({ resource, secret: current }, manifest, content, deps);
    } catch (error) {
      if (!isUncertain(error) || attempt === WRITE_ATTEMPTS) throw error;
      const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
      current = live && viewSecret(live);
      if (live === undefined || current === undefined) continue;
      const now = { resource, secret: current };
      const isForeign = !isOurs(now) && (!isAdoptable(now) || deps.purposeOf(live) !== undefined);
      if (isForeign)
        throw new TerminalError('SecretNotOwned', `Secret ${current.name} exists and is not this ClientCertificate's`);
      if (isOurs(now) && current.memory.revision > seenRevision) {
        const isThisOne = current.certificate?.fingerprintSHA256 === content.leaf.fingerprintSHA256;
        if (isThisOne && current.memory.revision === memory.revision) return current;
        throw new RetryableError('Conflict', `revision ${current.memory.revision} was published meanwhile`, {
          cause: error,
        });
      }
    }
  }
}

/** Lost a race (409), or it is unknown whether the write happened (no answer, 5xx). */
function isUncertain(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 0 || error.status >= 500);
}

/** The same write may well succeed a little later. */
export function mayPass(error: ApiError): boolean {
  return isUncertain(error) || error.status === 429;
}
