import type { RawObject } from '../../src/api/parse.ts';
import type { SecretAccess } from '../../src/certificate/publish.ts';
import type { SecretManifest } from '../../src/certificate/secret-manifest.ts';
import { type SecretView, viewSecret } from '../../src/certificate/secret-view.ts';
import { ApiError } from '../../src/errors.ts';

/** What the API server stores of a manifest: the same, through JSON, with a uid and a version of its own. */
export function stored(manifest: SecretManifest, uid = 'uid-of-secret', resourceVersion = '11'): RawObject {
  const { metadata, ...rest } = JSON.parse(JSON.stringify(manifest)) as RawObject;
  return { ...rest, metadata: { ...metadata, uid, resourceVersion } };
}

/** One Secret, with the preconditions of server-side apply. */
export class SecretStore implements SecretAccess {
  object: RawObject | undefined;
  #version = 10;

  async get(): Promise<RawObject | undefined> {
    return this.object;
  }

  async apply(manifest: SecretManifest): Promise<SecretView> {
    const { uid, resourceVersion } = this.object?.metadata ?? { uid: undefined, resourceVersion: '1' };
    const wanted: { uid?: string; resourceVersion: string } = manifest.metadata;
    if (wanted.resourceVersion !== resourceVersion || wanted.uid !== uid)
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    this.#version += 1;
    this.object = stored(manifest, uid ?? 'uid-of-secret', String(this.#version));
    return viewSecret(this.object);
  }

  view(): SecretView | undefined {
    return this.object && viewSecret(this.object);
  }
}
