import { createHash } from 'node:crypto';
import type { CaPair } from './ca.ts';
import { type CaMaterial, type CaReading, readCa } from './read-ca.ts';
import type { Aside } from './signer.ts';

interface Remembered extends CaReading {
  readonly id: string;
  readonly readAt: Date;
}

/** Reads one source again and again; while its bytes are the same and no date in it has passed, that costs a hash. */
export class CaReader {
  #last: Remembered | undefined;

  /** See readCa. */
  async read(material: CaMaterial, now: Date, aside?: Aside): Promise<CaPair> {
    const id = idOf(material);
    const last = this.#last;
    if (last?.id === id && last.readAt <= now && now < last.holdsUntil) return last.pair;
    this.#last = undefined;
    const read = await readCa(material, now, aside);
    this.#last = { ...read, id, readAt: now };
    return read.pair;
  }
}

function idOf({ place, certificates, key, roots, partialChain }: CaMaterial): string {
  const sha256 = createHash('sha256');
  sha256.update(JSON.stringify([place, partialChain, certificates.length, key.length, roots?.length]));
  for (const each of [certificates, key, roots ?? Buffer.alloc(0)]) sha256.update(each);
  return sha256.digest('base64');
}
