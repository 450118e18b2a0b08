import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A Go module of ours, which pins the versions of the programs that are built from it. */
export interface GoModule {
  /** What the linker writes into variables, as `package.variable=value`; a program that lacks one ignores it. */
  readonly stamps: readonly string[];
  /** Build tags. */
  readonly tags: readonly string[];
  /** No test uses its programs, so its sources are fetched when it is built. */
  readonly isForBenches?: true;
}

/** Cross-compiling or workspace settings of the caller's shell must not leak into programs that are to run here. */
export const BUILD_ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };

export function moduleFolder(name: string): string {
  return join(import.meta.dirname, name);
}

export function buildFlags({ stamps, tags }: GoModule): readonly string[] {
  const setters = stamps.map((stamp) => `-X ${stamp}`);
  const tagged = tags.length === 0 ? [] : ['-tags', tags.join(',')];
  return ['-mod=readonly', '-trimpath', '-buildvcs=false', ...tagged, '-ldflags', ['-s', '-w', ...setters].join(' ')];
}

/** Changes with everything that goes into the programs, so that a stale build is never taken for the pinned one. */
export function moduleCache(name: string, module: GoModule): string {
  const hash = createHash('sha256');
  for (const file of globSync('**/{go.mod,go.sum,*.go}', { cwd: moduleFolder(name) }).sort())
    hash.update(`${file}\0`).update(readFileSync(join(moduleFolder(name), file)));
  hash.update(JSON.stringify([buildFlags(module), BUILD_ENVIRONMENT, process.platform, process.arch]));
  return join(cacheRoot(), `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/** The folder for everything that is built or fetched once. */
export function cacheRoot(): string {
  const { CERTWHEEL_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'certwheel');
}
