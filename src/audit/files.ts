import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type ReadLine, readLine } from './line.ts';

/** A line of a file, and where it is. */
export interface FileLine {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** False for bytes behind the last line break. */
  readonly isWhole: boolean;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
/** Longer lines aren't ours; they are cut, so that a file of one line doesn't fill the memory. */
const LONGEST = 2 ** 20;
/** What container runtimes write before each line (CRI logging format). */
const CRI = /^\S+ (?:stdout|stderr) ([FP]) /;

/** The lines of a file, which may be compressed with gzip, and may be that of a container runtime. */
export async function* linesOf(file: string): AsyncGenerator<FileLine> {
  let number = 0;
  let rest = '';
  let begun = '';
  for await (const chunk of await textOf(file)) {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST);
    for (const line of lines) {
      number += 1;
      const text = begun + line.replace(CRI, '');
      // A long line is in several parts.
      begun = CRI.exec(line)?.[1] === 'P' ? text.slice(0, LONGEST) : '';
      if (begun === '') yield { file, number, text, isWhole: true };
    }
  }
  if (rest !== '') yield { file, number: number + 1, text: rest.replace(CRI, ''), isWhole: false };
}

async function textOf(file: string): Promise<AsyncIterable<string>> {
  const isGzip = await isCompressed(file);
  const stream = createReadStream(file);
  const bytes = isGzip ? stream.pipe(createGunzip()) : stream;
  stream.on('error', (error) => bytes.destroy(error));
  return bytes.setEncoding('utf8') as AsyncIterable<string>;
}

async function isCompressed(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
    return bytesRead === GZIP.length && buffer.equals(GZIP);
  } finally {
    await handle.close();
  }
}

/** The files in the order of their first lines: a pattern such as `audit.log*` names the newest first. */
export async function inOrder(files: readonly string[]): Promise<readonly string[]> {
  const begun = await Promise.all(files.map(async (file) => ({ file, first: await firstOf(file) })));
  return begun.sort((one, other) => order(one.first, other.first)).map(({ file }) => file);
}

/** In one segment by number: a clock may be set back. */
function order(one: ReadLine | undefined, other: ReadLine | undefined): number {
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  if (one.segment === other.segment) return one.seq - other.seq;
  return one.time < other.time ? -1 : 1;
}

/** Lines that are read to find the first one of the audit log, since other programs may have written before it. */
const LOOKED_AT = 1_000;

async function firstOf(file: string): Promise<ReadLine | undefined> {
  for await (const { text, number } of linesOf(file)) {
    const line = readLine(text);
    if (line !== undefined) return line;
    if (number === LOOKED_AT) break;
  }
  return undefined;
}
