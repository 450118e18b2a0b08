import type { Entry } from './entries.ts';

const BLOCK = 512;
const LONGEST_NAME = 100;

/** A tar file (POSIX ustar) of exactly these entries, in this order; `seconds` is the time of each. */
export function tar(entries: readonly Entry[], seconds: number): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    parts.push(header(entry, seconds));
    if (entry.kind === 'file') parts.push(entry.content, Buffer.alloc(padding(entry.content.length)));
  }
  // Two empty blocks end it.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function header(entry: Entry, seconds: number): Buffer {
  const isFolder = entry.kind === 'folder';
  const name = `${entry.path.slice(1)}${isFolder ? '/' : ''}`;
  if (Buffer.byteLength(name) > LONGEST_NAME)
    throw new Error(`${entry.path} is longer than the ${LONGEST_NAME} bytes that this tar writer can carry`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(isFolder ? 0 : entry.content.length, 124, 12);
  octal(seconds, 136, 12);
  block.write(isFolder ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  // The sum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
