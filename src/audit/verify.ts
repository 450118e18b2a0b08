import { type Checkpoint, MOST_CHECKPOINTS } from './checkpoint.ts';
import type { FileLine } from './files.ts';
import { type ReadLine, readLine, sha256, type Torn } from './line.ts';

/** What is wrong with a log, or what a reader should know of it. */
export interface Finding {
  readonly severity: 'fault' | 'note';
  /** `file:line`; undefined for what is about no line. */
  readonly at: string | undefined;
  readonly message: string;
}

export interface VerifyOptions {
  /** What the cluster knows, or a copy of it; without it a truncated tail can't be seen. */
  readonly checkpoints?: readonly Checkpoint[];
  /** Older files aren't given, so that the log may begin in the middle. */
  readonly isPartial?: boolean;
  /** Lines of other programs are between those of the log, as in the output of a container. */
  readonly isMixed?: boolean;
}

export interface Verdict {
  readonly lines: number;
  readonly segments: number;
  /** The moments of the first and the last line. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly findings: readonly Finding[];
  /** How many there are: not all of them may be among the findings. */
  readonly faults: number;
}

interface Segment {
  seq: number;
  hash: string;
  hasEnded: boolean;
  at: string;
}

/** The start of a segment follows the end of another; two processes may write the same file. */
const REMEMBERED = 1_000;
/** More of a kind say nothing new. */
const MOST_FINDINGS = 1_000;

/** Checks lines in their order. Knows only what the last lines were, so that the size of a log doesn't matter. */
export class Verifier {
  readonly #options: VerifyOptions;
  readonly #segments = new Map<string, Segment>();
  readonly #recent = new Set<string>();
  /** By segment and number, what the lines must say that the cluster knows. */
  readonly #expected = new Map<string, Checkpoint>();
  readonly #findings: Finding[] = [];
  #faults = 0;
  #notes = 0;
  #lines = 0;
  #from: string | undefined;
  #to: string | undefined;
  #fragment: (FileLine & Torn) | undefined;

  constructor(options: VerifyOptions = {}) {
    this.#options = options;
    for (const each of options.checkpoints ?? []) this.#expected.set(`${each.segment}/${each.seq}`, each);
  }

  add(line: FileLine): void {
    const at = `${line.file}:${line.number}`;
    const read = line.isWhole ? readLine(line.text) : undefined;
    if (read === undefined) this.#addForeign(line, at);
    else this.#addRead(read, at);
  }

  end(): Verdict {
    this.#endFragment(undefined);
    for (const [segment, { seq, hasEnded, at }] of this.#segments)
      if (!hasEnded)
        this.#note(at, `segment ${segment} has no stop line after line ${seq}: its process still runs, or was killed`);
    if (this.#options.checkpoints === undefined)
      this.#note(undefined, 'no checkpoint was given: lines that are missing at the end can not be seen');
    for (const each of this.#options.checkpoints ?? []) this.#compare(each);
    this.#findUnknown();
    return {
      lines: this.#lines,
      segments: this.#segments.size,
      from: this.#from,
      to: this.#to,
      findings: this.#findings,
      faults: this.#faults,
    };
  }

  #addRead(line: ReadLine, at: string): void {
    this.#endFragment(line.torn);
    this.#check(line, at);
    this.#lines += 1;
    this.#from ??= line.time;
    this.#to = line.time;
  }

  #addForeign(line: FileLine, at: string): void {
    this.#endFragment(undefined);
    const bytes = Buffer.from(line.text);
    // The next line may be a start that says that a process ended here.
    if (this.#options.isMixed !== true) this.#fragment = { ...line, bytes: bytes.length, sha256: sha256(bytes) };
    else if (line.text.includes('"prev":"') && line.text.includes('"segment":"'))
      this.#fault(at, 'this looks like an audit line, and has no hash at its end: it was altered or cut off');
  }

  /** Judges what was no line, now that it is known what follows. */
  #endFragment(torn: Torn | undefined): void {
    const fragment = this.#fragment;
    this.#fragment = undefined;
    if (fragment === undefined) return;
    const at = `${fragment.file}:${fragment.number}`;
    const isTold = torn?.bytes === fragment.bytes && torn.sha256 === fragment.sha256;
    if (isTold) this.#note(at, `a line was not ended, since its process was killed; the start line after it says so`);
    else if (!fragment.isWhole)
      this.#note(at, 'the file ends within a line: its process was killed, or is writing it at this moment');
    else this.#fault(at, 'this is no line of the audit log');
  }

  #check(line: ReadLine, at: string): void {
    const { segment, seq, prev, hash, isIntact, event, lost } = line;
    if (!isIntact) this.#fault(at, `edited: its content doesn't have the hash that it states`);
    if (lost !== undefined)
      this.#note(
        at,
        `${lost} lines before it were lost, since they could not be written; the log of the controller says why`,
      );
    const known = this.#segments.get(segment);
    if (known === undefined) this.#begin(line, at);
    else if (seq > known.seq + 1)
      this.#fault(at, `missing: lines ${known.seq + 1} to ${seq - 1} of segment ${segment} before this one`);
    else if (seq <= known.seq)
      this.#fault(at, `out of order or repeated: line ${seq} of segment ${segment} comes after its line ${known.seq}`);
    else if (prev !== known.hash)
      this.#fault(
        at,
        `the line before it, ${known.at}, doesn't have the hash that this one states for it: one of them was replaced`,
      );
    else if (known.hasEnded || event === 'start')
      this.#fault(at, `line ${seq} of segment ${segment} follows its stop line, or is a second start`);
    this.#compareWith(line, at);
    if (known === undefined || seq > known.seq)
      this.#segments.set(segment, { seq, hash, at, hasEnded: event === 'stop' });
    this.#remember(hash);
  }

  #begin({ segment, seq, prev, event }: ReadLine, at: string): void {
    const isFirst = this.#segments.size === 0 && this.#options.isPartial === true;
    if (seq !== 0 || event !== 'start') {
      const message = `missing: lines 0 to ${seq - 1} of segment ${segment}`;
      if (isFirst) this.#note(at, `${message}: they are in an older file`);
      else this.#fault(at, `${message}; give --partial where they are in older files that are gone`);
    } else if (prev === '') {
      if (this.#lines > 0)
        this.#note(
          at,
          `segment ${segment} doesn't say what came before it: it began in a new file, or on standard output`,
        );
    } else if (!this.#recent.has(prev)) {
      const message = `missing: the line with the hash ${prev}, after which segment ${segment} began`;
      if (isFirst) this.#note(at, `${message}: it is in an older file`);
      else this.#fault(at, `${message}; give --partial where it is in an older file that is gone`);
    }
  }

  #compareWith({ segment, seq, hash }: ReadLine, at: string): void {
    const expected = this.#expected.get(`${segment}/${seq}`);
    if (expected !== undefined && expected.hash !== hash)
      this.#fault(at, `replaced: the checkpoint of ${expected.time} has another hash for this line, ${expected.hash}`);
  }

  /** A segment must have come as far as the cluster knows. */
  #compare({ segment, seq, time }: Checkpoint): void {
    const known = this.#segments.get(segment);
    if (known !== undefined && known.seq >= seq) return;
    const isOlder = this.#from !== undefined && time < this.#from;
    if (known !== undefined)
      this.#fault(
        known.at,
        `truncated: segment ${segment} ends with line ${known.seq}, and the checkpoint of ${time} has seen line ${seq}`,
      );
    else if (isOlder && this.#options.isPartial === true)
      this.#note(undefined, `segment ${segment}, last seen at ${time}, is in an older file`);
    else
      this.#fault(
        undefined,
        `missing: segment ${segment}, of which the checkpoint of ${time} has seen lines 0 to ${seq}`,
      );
  }

  /** A process that can write the file can add a segment without a fault. */
  #findUnknown(): void {
    const { checkpoints } = this.#options;
    if (checkpoints === undefined || checkpoints.length >= MOST_CHECKPOINTS) return;
    const known = new Set(checkpoints.map(({ segment }) => segment));
    for (const [segment, { at }] of this.#segments)
      if (!known.has(segment))
        this.#note(
          at,
          `the checkpoint doesn't know segment ${segment}: its process ended within a second or could not reach the API server, or somebody added these lines`,
        );
  }

  #remember(hash: string): void {
    this.#recent.add(hash);
    const [oldest] = this.#recent;
    if (this.#recent.size > REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
  }

  #fault(at: string | undefined, message: string): void {
    this.#faults += 1;
    if (this.#faults <= MOST_FINDINGS) this.#findings.push({ severity: 'fault', at, message });
  }

  #note(at: string | undefined, message: string): void {
    this.#notes += 1;
    if (this.#notes <= MOST_FINDINGS) this.#findings.push({ severity: 'note', at, message });
  }
}
