import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What package.json says. */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/** What the image says of the source that it was made from. */
export interface Source extends Release {
  readonly root: string;
  /** Of everything that follows from the source, in seconds since 1970. */
  readonly seconds: number;
  /** The commit; none outside of a clone. */
  readonly revision: string | undefined;
}

export function readRelease(root: string): Release {
  const { name, version, description, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { name, version, description, license };
}

export function readSource(root: string): Source {
  const revision = git(root, 'rev-parse', 'HEAD');
  const changed = revision !== undefined && git(root, 'status', '--porcelain') !== '';
  return {
    ...readRelease(root),
    root,
    seconds: secondsOf(process.env.SOURCE_DATE_EPOCH ?? git(root, 'log', '-1', '--format=%ct') ?? '0'),
    revision: changed ? `${revision}-changed` : revision,
  };
}

/** When the source is from, as RFC 3339 has it. */
export function createdAt({ seconds }: Source): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function secondsOf(text: string): number {
  if (!/^\d{1,11}$/.test(text))
    throw new Error(`SOURCE_DATE_EPOCH is ${JSON.stringify(text)}; give whole seconds since 1970, or unset it`);
  return Number(text);
}

function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
