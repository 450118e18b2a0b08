/** A fake API server with one Secret NAME-next and the preconditions of server-side apply. */
import type { RawObject } from '../../src/api/parse.ts';
import type { NextKeyAccess, RequestDeps } from '../../src/certificate/request/deps.ts';
import { type NextKey, viewNextKey } from '../../src/certificate/request/next-key.ts';
import type { NextManifest } from '../../src/certificate/request/next-manifest.ts';
import { PendingRequests } from '../../src/certificate/request/pending-requests.ts';
import { purposeOf } from '../../src/certificate/secret/protection.ts';
import type { Clock } from '../../src/clock.ts';
import { ApiError } from '../../src/errors.ts';
import { SILENT } from './own-authority.ts';

export class NextStore implements NextKeyAccess {
  object: RawObject | undefined;
  reads = 0;
  writes = 0;
  #version = 100;

  async read(): Promise<RawObject | undefined> {
    this.reads++;
    return this.object;
  }

  async apply(manifest: NextManifest): Promise<NextKey> {
    const { uid, resourceVersion } = this.object?.metadata ?? { uid: undefined, resourceVersion: '1' };
    const wanted: { uid?: string; resourceVersion: string } = manifest.metadata;
    if (wanted.resourceVersion !== resourceVersion || wanted.uid !== uid)
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    this.#version += 1;
    this.writes++;
    const { metadata, ...rest } = JSON.parse(JSON.stringify(manifest)) as RawObject;
    const version = String(this.#version);
    this.object = { ...rest, metadata: { ...metadata, uid: uid ?? `uid-${version}`, resourceVersion: version } };
    return viewNextKey(this.object);
  }

  async delete({ uid }: NextKey): Promise<void> {
    if (this.object?.metadata?.uid === uid) this.object = undefined;
  }

  /** Another writer changes it. */
  edit({ metadata, ...rest }: RawObject): void {
    this.#version += 1;
    this.object = { ...rest, metadata: { ...metadata, resourceVersion: String(this.#version) } };
  }

  view(): NextKey | undefined {
    return this.object && viewNextKey(this.object);
  }
}

/** The other dependencies of a request; `backend` is the authority that got it. */
export function requestDeps(
  clock: Clock,
  nextKeys = new NextStore(),
  backend: ReturnType<RequestDeps['askedBy']> = undefined,
): RequestDeps & { readonly nextKeys: NextStore } {
  return {
    nextKeys,
    liveSecret: async () => undefined,
    clock,
    awaited: new PendingRequests(),
    purposeOf: (secret) => purposeOf(secret, []),
    askedBy: () => backend,
    log: SILENT,
    ownership: { assert: () => {} },
  };
}
