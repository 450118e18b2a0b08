import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Material {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/** Reads the files of a mounted Secret, and reads them again when the kubelet has replaced them. */
export class Mounted {
  readonly #folder: string;
  #target: string | undefined;
  #current: Material | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The newest that can be read: one object per version of the Secret. Throws where there never was any. */
  current(): Material {
    try {
      const target = readlinkSync(join(this.#folder, '..data'));
      if (target !== this.#target || this.#current === undefined) {
        // All from one resolved folder: through the link they could be of two versions.
        const file = (name: string) => readFileSync(join(this.#folder, target, name));
        this.#current = { cert: file('tls.crt'), key: file('tls.key'), ca: file('ca.crt') };
        this.#target = target;
      }
    } catch (error) {
      // The kubelet removes the old folder right after it has set the link: the next call finds the new one.
      if (this.#current === undefined) throw error;
    }
    return this.#current;
  }
}
