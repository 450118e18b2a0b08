import type { KeySpec } from '../../../src/pki/keys.ts';
import { type Authority, authority } from './authority.ts';
import { type ChainLength, keyName } from './cells.ts';

/** The authorities of one program: one for each length of chain and kind of CA key, made at their first use. */
export class Authorities {
  readonly #made = new Map<string, Promise<Authority>>();
  readonly #title: string;

  constructor(title: string) {
    this.#title = title;
  }

  get(chain: ChainLength = 2, caKey?: KeySpec): Promise<Authority> {
    const name = `${this.#title} CA ${chain}${caKey === undefined ? '' : ` ${keyName(caKey)}`}`;
    const made = this.#made.get(name) ?? authority(chain, name, caKey);
    this.#made.set(name, made);
    return made;
  }
}
