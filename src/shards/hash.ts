/** A 64-bit number in two halves, since a double holds 53 bits. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const OFFSET: Hash64 = { high: 0xcbf29ce4, low: 0x84222325 };
/** The prime of FNV is 2^40 + 0x1b3. */
const PRIME_LOW = 0x1b3;
const TWO_32 = 2 ** 32;

/** FNV-1a over UTF-8. */
export function fnv1a64(text: string): Hash64 {
  let { high, low } = OFFSET;
  for (const byte of Buffer.from(text)) {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME_LOW;
    // The part of 2^40 moves the lower half by 8 bits within the upper one.
    high = (Math.imul(high, PRIME_LOW) + Math.floor(product / TWO_32) + ((low << 8) >>> 0)) >>> 0;
    low = product % TWO_32;
  }
  return { high, low };
}

/**
 * The hash of 32 bits by which work is shared. The last letters of a text hardly reach the upper bits of FNV-1a, so that
 * `team-000` to `team-099` would all be in one range; the finalizer of MurmurHash3 carries each bit to all others.
 */
export function shardHash(text: string): number {
  const { high, low } = fnv1a64(text);
  let mixed = high ^ low;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
