import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { utf16Bytes } from '../asn1/write.ts';

/** Both have blocks of 64 bytes. */
export type KdfHash = 'sha1' | 'sha256';

/** RFC 7292 appendix B.3: what the bytes are for. */
export const KDF_PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

export interface KdfRequest {
  readonly hash: KdfHash;
  readonly purpose: (typeof KDF_PURPOSE)[keyof typeof KDF_PURPOSE];
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Bytes. */
  readonly length: number;
}

const BLOCK = 64;
/** Under a millisecond of the event loop. */
const HASHES_PER_TURN = 256;

/**
 * The key derivation of PKCS#12 (RFC 7292 appendix B.2). No function of Node runs it in the thread pool, so it runs on the
 * event loop, in short turns.
 */
export async function deriveBytes({
  hash: name,
  purpose,
  password,
  salt,
  iterations,
  length,
}: KdfRequest): Promise<Buffer> {
  // Appendix B.1: UTF-16 with a terminating zero.
  const input = Buffer.concat([fillBlocks(salt), fillBlocks(Buffer.concat([utf16Bytes(password), Buffer.alloc(2)]))]);
  const out: Buffer[] = [];
  for (let have = 0; have < length; ) {
    const digest = await iterate(name, Buffer.concat([Buffer.alloc(BLOCK, purpose), input]), iterations);
    out.push(digest);
    have += digest.length;
    const addend = fillBlocks(digest);
    for (let at = 0; at < input.length; at += BLOCK) addOnePlus(input.subarray(at, at + BLOCK), addend);
  }
  return Buffer.concat(out, length);
}

async function iterate(name: KdfHash, first: Buffer, iterations: number): Promise<Buffer> {
  let digest = first;
  for (let done = 0; done < iterations; done += 1) {
    if (done % HASHES_PER_TURN === HASHES_PER_TURN - 1) await nextTurn();
    digest = hash(name, digest, 'buffer');
  }
  return digest;
}

/** Repeats the bytes up to a multiple of the block. */
function fillBlocks(bytes: Uint8Array): Buffer {
  const length = BLOCK * Math.ceil(bytes.length / BLOCK);
  return Buffer.alloc(length, bytes);
}

/** sum = (sum + addend + 1) mod 2^512, big-endian, in place. */
function addOnePlus(sum: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let at = BLOCK - 1; at >= 0; at -= 1) {
    carry += (sum[at] ?? 0) + (addend[at] ?? 0);
    sum[at] = carry & 0xff;
    carry >>= 8;
  }
}
