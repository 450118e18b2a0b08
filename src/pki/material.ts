import type { PrivateKey } from './keys.ts';
import { binaryFinding, NOUNS } from './material/binary.ts';
import { COPY_AGAIN, FROM_FILES } from './material/block-findings.ts';
import { decodeBlock } from './material/decode.ts';
import { derKind } from './material/der-kind.ts';
import { type Finding, MaterialError, Refusal, type Want } from './material/error.ts';
import { foreignFinding, utf16Finding } from './material/foreign.ts';
import { readKeyBlocks } from './material/key.ts';
import { isCertificateLabel, isParametersLabel, notACertificate, strayBlock, trusted } from './material/labels.ts';
import { scanBlocks, type TextBlock } from './material/scan.ts';
import { MAX_PEM_BYTES } from './pem.ts';

export { MaterialError, type MaterialFlaw } from './material/error.ts';

/** One block CERTIFICATE. */
export interface CertificateBlock {
  /** From 1, among all blocks of the text. */
  readonly number: number;
  readonly der: Buffer;
}

interface Bounds {
  /** 100,000 by default. */
  readonly maxBytes?: number;
  /** How many certificates there may be; none is decoded if there are more. */
  readonly most?: number;
  /** What to do where no command can mend the bytes; by default the pair of the CA is to be written into its Secret. */
  readonly remedy?: string;
}

/**
 * The certificates of a PEM text that people made, at least one: text outside the blocks and blocks of parameters are
 * skipped (RFC 7468 section 2). `place` begins the messages, such as `Secret shop/ca, key tls.crt`. Throws a
 * MaterialError. The content of a block is distinguished from keys and requests, and not parsed any further.
 */
export function readCertificateBlocks(
  bytes: Buffer,
  place: string,
  { maxBytes = MAX_PEM_BYTES, most = Number.POSITIVE_INFINITY, remedy }: Bounds = {},
): readonly CertificateBlock[] {
  return at(
    place,
    () => {
      const blocks = readBlocks(bytes, 'certificate', maxBytes);
      const certificates = blocks.filter(({ label }) => isCertificateLabel(label));
      const among = certificates.length > 0;
      const stranger = blocks.find(({ label }) => !isCertificateLabel(label) && !isParametersLabel(label));
      if (stranger !== undefined) throw new Refusal(notACertificate(stranger.label, among), stranger.number);
      if (!among) throw new Refusal(strayBlock('a block of parameters', false), 1);
      if (certificates.length > most) throw new Refusal(tooMany(certificates.length, most));
      return certificates.map((block) => ({
        number: block.number,
        der: certificateOf(block, certificates.length > 1),
      }));
    },
    remedy,
  );
}

/**
 * The one private key of a PEM text that people made, and the PEM of that key alone, in its encoding and with the label
 * that belongs to it. Certificates, public keys, parameters and text beside it are skipped. `place` as above. Throws a
 * MaterialError that holds nothing of the key.
 */
export function readKey(bytes: Buffer, place: string): { key: PrivateKey; pem: string } {
  return at(place, () => readKeyBlocks(readBlocks(bytes, 'key', MAX_PEM_BYTES)));
}

function readBlocks(bytes: Buffer, want: Want, maxBytes: number): TextBlock[] {
  if (bytes.length > maxBytes) throw new Refusal(tooLarge(bytes.length, maxBytes));
  if (isBlank(bytes)) throw new Refusal(EMPTY);
  const finding = utf16Finding(bytes, want) ?? binaryFinding(bytes, want);
  if (finding !== undefined) throw new Refusal(finding);
  const blocks = scanBlocks(bytes.toString('latin1'), want);
  if (blocks.length === 0) throw new Refusal(foreignFinding(bytes, want));
  return blocks;
}

function certificateOf(block: TextBlock, among: boolean): Buffer {
  const der = decodeBlock(block, 'certificate');
  const kind = derKind(der);
  if (kind === 'trusted certificate') throw new Refusal(trusted(among), block.number);
  if (kind !== undefined && kind !== 'certificate') throw new Refusal(strayBlock(NOUNS[kind], false), block.number);
  return der;
}

const EMPTY: Finding = { flaw: 'Empty', what: 'empty', remedy: FROM_FILES };

function isBlank(bytes: Buffer): boolean {
  const start = bytes.toString('hex', 0, 3) === 'efbbbf' ? 3 : 0;
  return bytes.subarray(start).every((code) => code === 0 || code === 0x20 || (code >= 0x09 && code <= 0x0d));
}

function tooLarge(bytes: number, maxBytes: number): Finding {
  const what = `too large: ${bytes} bytes, and at most ${maxBytes} are read`;
  return { flaw: 'TooLarge', what, remedy: 'leave in it what belongs to the CA alone' };
}

function tooMany(count: number, most: number): Finding {
  const what = `too much: ${count} certificates, and at most ${most} are read`;
  return { flaw: 'TooLarge', what, remedy: 'leave in it what belongs to the CA alone' };
}

function at<Result>(place: string, read: () => Result, whole?: string): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { flaw, what, remedy } = error.finding;
    const block = error.block === undefined ? '' : `, block ${error.block}`;
    const isWhole = remedy === FROM_FILES || remedy === COPY_AGAIN;
    throw new MaterialError(flaw, `${place}${block}: this is ${what}; ${(isWhole && whole) || remedy}`);
  }
}
