import { hkdfSync } from 'node:crypto';
import { type Seal, sealWith } from '../certificate/secret/seal.ts';

/** Of the key that the Secret keeps, and of each that is derived from it. */
export const BOOKS_KEY_BYTES = 32;

/**
 * The controller's own key: it proves which entries of ledgers the controller wrote, and which serial numbers it gave. Unknown
 * until its Secret was read.
 */
export class BooksKey {
  #key: Buffer | undefined;
  #sealKey: Buffer | undefined;
  readonly seal: Seal = sealWith(() => this.#sealKey);

  get isKnown(): boolean {
    return this.#key !== undefined;
  }

  /** `key` has BOOKS_KEY_BYTES. */
  learn(key: Buffer): void {
    this.#key = key;
    this.#sealKey = derived(key, 'certwheel ledgers');
  }

  /**
   * The key of 32 bytes for the serial numbers of an authority, by its uid: another one for each, so that it can be handed to a
   * process that must not know this key. Undefined while this key is unknown.
   */
  serialKey(authorityUid: string): Buffer | undefined {
    return this.#key && derived(this.#key, `certwheel serial numbers ${authorityUid}`);
  }
}

/** RFC 5869, with SHA-256 and without a salt: the input is random. */
function derived(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', purpose, BOOKS_KEY_BYTES));
}
