/**
 * RC2 in CBC mode (RFC 2268), to encrypt only: the profile LegacyRC2 needs it, and OpenSSL 3 has it in its legacy provider
 * alone, which Node doesn't load.
 */
const BLOCK = 8;

/** RFC 2268 section 2: a permutation of the bytes, from the digits of pi. */
const PI_TABLE = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2' +
    '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82' +
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7' +
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);

const ROTATIONS = [1, 2, 3, 5] as const;

/**
 * Encrypts with padding by PKCS#7. The key has 1 to 128 bytes, of which `effectiveBits` (1 to 1024) count; `iv` has 8 bytes.
 */
export function rc2CbcEncrypt(key: Uint8Array, effectiveBits: number, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const words = expandKey(key, effectiveBits);
  const padding = BLOCK - (plaintext.length % BLOCK);
  const out = Buffer.concat([plaintext, Buffer.alloc(padding, padding)]);
  let previous = iv;
  for (let at = 0; at < out.length; at += BLOCK) {
    const block = out.subarray(at, at + BLOCK);
    for (let i = 0; i < BLOCK; i += 1) block[i] = byteAt(block, i) ^ byteAt(previous, i);
    encryptBlock(words, block);
    previous = block;
  }
  return out;
}

/** RFC 2268 section 2: 64 words of 16 bits. */
function expandKey(key: Uint8Array, effectiveBits: number): Uint16Array {
  const bytes = Buffer.alloc(128);
  bytes.set(key);
  for (let i = key.length; i < 128; i += 1)
    bytes[i] = byteAt(PI_TABLE, (byteAt(bytes, i - 1) + byteAt(bytes, i - key.length)) & 0xff);
  const effectiveBytes = Math.ceil(effectiveBits / 8);
  const mask = 0xff >> (8 * effectiveBytes - effectiveBits);
  bytes[128 - effectiveBytes] = byteAt(PI_TABLE, byteAt(bytes, 128 - effectiveBytes) & mask);
  for (let i = 127 - effectiveBytes; i >= 0; i -= 1)
    bytes[i] = byteAt(PI_TABLE, byteAt(bytes, i + 1) ^ byteAt(bytes, i + effectiveBytes));
  return Uint16Array.from({ length: 64 }, (_, i) => bytes.readUInt16LE(2 * i));
}

/** RFC 2268 section 3, in place. */
function encryptBlock(key: Uint16Array, block: Buffer): void {
  const r = Uint16Array.from({ length: 4 }, (_, i) => block.readUInt16LE(2 * i));
  for (let round = 0; round < 16; round += 1) {
    if (round === 5 || round === 11) mash(key, r);
    for (let i = 0; i < 4; i += 1) {
      const a = wordAt(r, (i + 3) & 3);
      const sum =
        wordAt(r, i) + wordAt(key, 4 * round + i) + (a & wordAt(r, (i + 2) & 3)) + (~a & wordAt(r, (i + 1) & 3));
      r[i] = rotateLeft(sum & 0xffff, ROTATIONS[i] ?? 0);
    }
  }
  for (let i = 0; i < 4; i += 1) block.writeUInt16LE(wordAt(r, i), 2 * i);
}

function mash(key: Uint16Array, r: Uint16Array): void {
  for (let i = 0; i < 4; i += 1) r[i] = wordAt(r, i) + wordAt(key, wordAt(r, (i + 3) & 3) & 63);
}

function rotateLeft(word: number, bits: number): number {
  return ((word << bits) | (word >>> (16 - bits))) & 0xffff;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function wordAt(words: Uint16Array, index: number): number {
  return words[index] ?? 0;
}
