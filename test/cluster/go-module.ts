import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Programs that are built from a Go module of ours, which pins their versions, and that are kept in the cache. */
export interface GoModule<Name extends string> {
  /** What a person calls them together, and how long a build of all takes. */
  readonly title: string;
  readonly duration: string;
  /** Holds go.mod and go.sum. */
  readonly folder: string;
  readonly cacheFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** For those who have no Go: what helps besides installing it. */
  readonly otherwise: string;
  buildArguments(program: Name, output: string): readonly string[];
  /** Arguments with which a program only prints its version, to prove a fresh build. */
  versionArguments(program: Name): readonly string[];
}

/** Changes with everything that goes into the programs, so that a stale build is never taken for the pinned one. */
export function cacheFolderFor(name: string, moduleFolder: string, ingredients: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(readFileSync(join(moduleFolder, file)));
  }
  hash.update(JSON.stringify([...ingredients, process.platform, process.arch]));
  return join(cacheRoot(), `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/** The folder for everything that is built or fetched once. */
export function cacheRoot(): string {
  const { CERTWHEEL_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'certwheel');
}
