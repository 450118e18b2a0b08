import type { RawObject } from '../../src/api/parse.ts';
import type { SecretManifest } from '../../src/certificate/secret/manifest.ts';
import { type SecretView, viewSecret } from '../../src/certificate/secret/view.ts';
import type { SecretAccess, StoredSecret } from '../../src/certificate/secret/write.ts';
import { ApiError } from '../../src/errors.ts';
import { fieldAltered } from '../../src/kube/difference.ts';

/** The object that the API server stores for a manifest, with its own uid and resourceVersion. */
export function stored(manifest: SecretManifest, uid = 'uid-of-secret', resourceVersion = '11'): RawObject {
  const { metadata, ...rest } = JSON.parse(JSON.stringify(manifest)) as RawObject;
  return { ...rest, metadata: { ...metadata, uid, resourceVersion } };
}

/** A fake API server with one Secret and the preconditions of server-side apply. */
export class SecretStore implements SecretAccess {
  object: RawObject | undefined;
  /** Admission: may change an object before it is stored. */
  mutate: (object: RawObject) => RawObject = (object) => object;
  writes = 0;
  #version = 10;

  async get(): Promise<RawObject | undefined> {
    return this.object;
  }

  async apply(manifest: SecretManifest): Promise<StoredSecret> {
    this.object = this.#admit(manifest);
    this.writes += 1;
    return { view: viewSecret(this.object), altered: fieldAltered(manifest, this.object) };
  }

  async rehearse(manifest: SecretManifest): Promise<string | undefined> {
    return fieldAltered(manifest, this.#admit(manifest));
  }

  async remove({ uid }: SecretView): Promise<void> {
    if (this.object?.metadata?.uid === uid) this.object = undefined;
  }

  #admit(manifest: SecretManifest): RawObject {
    const { uid, resourceVersion } = this.object?.metadata ?? { uid: undefined, resourceVersion: '1' };
    const wanted: { uid?: string; resourceVersion: string } = manifest.metadata;
    if (wanted.resourceVersion !== resourceVersion || wanted.uid !== uid)
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    this.#version += 1;
    return this.mutate(stored(manifest, uid ?? 'uid-of-secret', String(this.#version)));
  }

  view(): SecretView | undefined {
    return this.object && viewSecret(this.object);
  }
}
