import { closeSync, fstatSync, fsync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';
import { readLine, sha256, type Torn } from './line.ts';

/** What a file ends with. */
export interface Tail {
  /** Of the last whole line; undefined where there is none. */
  readonly hash: string | undefined;
  readonly torn: Torn | undefined;
}

/** Where lines go. */
export interface Sink {
  /**
   * Writes a line with its line break. Throws where not all of it could be written; the same line must follow then, and is
   * continued where it was broken off.
   */
  write(line: Buffer): void;
  /** Resolves when the disk has what was written. */
  sync(): Promise<void>;
  /** What is there before the first line is written. */
  tail(): Tail;
  close(): void;
}

const NOTHING: Tail = { hash: undefined, torn: undefined };
const STANDARD_OUTPUT = 1;
/** The group may read it: collectors run as other users. */
const MODE = 0o640;

/** `-` is standard output. Throws StartError where the file can't be opened. */
export function openSink(path: string): Sink {
  return path === '-' ? new OutputSink() : new FileSink(path);
}

class OutputSink implements Sink {
  readonly #writer = new LineWriter();

  write(line: Buffer): void {
    this.#writer.write(STANDARD_OUTPUT, line);
  }

  async sync(): Promise<void> {}

  tail(): Tail {
    return NOTHING;
  }

  close(): void {}
}

/** Follows a file that is renamed or removed, as logrotate does: before each line it looks whether the path still is its file. */
class FileSink implements Sink {
  readonly #path: string;
  readonly #writer = new LineWriter();
  #file: number;
  #inode: bigint;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = openSync(path, 'a', MODE);
    } catch (error) {
      throw new StartError(`--audit-log ${path} can't be opened for writing: ${messageOf(error)}`);
    }
    this.#inode = inodeOf(this.#file);
  }

  write(line: Buffer): void {
    this.#follow();
    this.#writer.write(this.#file, line);
  }

  sync(): Promise<void> {
    const file = this.#file;
    return new Promise((resolve, reject) => {
      fsync(file, (error) => {
        // It was closed by a rotation, which has it synced first.
        if (error === null || error === undefined || error.code === 'EBADF') resolve();
        else reject(error);
      });
    });
  }

  tail(): Tail {
    return tailOf(this.#path);
  }

  close(): void {
    closeSync(this.#file);
  }

  #follow(): void {
    if (statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode) return;
    const former = this.#file;
    this.#file = openSync(this.#path, 'a', MODE);
    this.#inode = inodeOf(this.#file);
    // A line is never split between two files.
    this.#writer.forget();
    fsync(former, () => closeSync(former));
  }
}

/** Remembers how much of a line was written: a full disk takes a part of it. */
class LineWriter {
  #done = 0;

  write(file: number, line: Buffer): void {
    while (this.#done < line.length) this.#done += writeSync(file, line, this.#done);
    this.#done = 0;
  }

  forget(): void {
    this.#done = 0;
  }
}

function inodeOf(file: number): bigint {
  return fstatSync(file, { bigint: true }).ino;
}

/** Longer than any line: 100 names, and a message of 8,000 characters. */
const MOST_TAIL_BYTES = 2 ** 20;
const NEWLINE = 0x0a;

/** Reads the end of a file. */
export function tailOf(path: string): Tail {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MOST_TAIL_BYTES));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return tailIn(bytes.subarray(0, read));
  } finally {
    closeSync(file);
  }
}

function tailIn(bytes: Buffer): Tail {
  const end = bytes.lastIndexOf(NEWLINE);
  const rest = bytes.subarray(end + 1);
  const torn = rest.length === 0 ? undefined : { bytes: rest.length, sha256: sha256(rest) };
  const lines = bytes.subarray(0, Math.max(0, end)).toString('utf8').split('\n').reverse();
  for (const line of lines) {
    const found = readLine(line);
    if (found !== undefined) return { hash: found.hash, torn };
  }
  return { hash: undefined, torn };
}
