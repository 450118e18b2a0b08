import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'results');

/** What a long run has seen of one program: results/NAME.json, from which docs/interop.md is made. */
export interface Results {
  readonly name: string;
  readonly title: string;
  readonly kind: 'server' | 'client';
  readonly source: string;
  readonly version: string;
  /** How it picks up new files. */
  readonly reloads: string;
  /** By cellName: `works`, or the message with which it is refused. */
  readonly cells: Readonly<Record<string, string>>;
  /** By what is wrong with the peer: what the peer sees. */
  readonly refuses: Readonly<Record<string, string>>;
  /** By what was changed under requests: `works` where none failed. */
  readonly rotations: Readonly<Record<string, string>>;
  /** Of a client, by another server than the usual one and what was tried with it. */
  readonly peers?: Readonly<Record<string, string>>;
}

export const WORKS = 'works';

const path = (name: string) => join(FOLDER, `${name}.json`);

/** Undefined before the first long run. */
export function readResults(name: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(path(name), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeResults(results: Results): void {
  writeFileSync(path(results.name), `${JSON.stringify(results, undefined, 2)}\n`);
}
