import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parseDuration } from './api/duration.ts';
import { StartError } from './start-error.ts';
import { messageOf } from './thrown.ts';

export interface Option {
  readonly flag: string;
  /** What stands behind the flag in the help; undefined for a switch. */
  readonly value: string | undefined;
  readonly standard: string;
  readonly help: string;
}

/** Takes a command line apart. Throws StartError, which ends with `hint`. */
export function readFlags<T extends ParseArgsConfig>(config: T, hint: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // The first sentence; the others are advice about arguments that begin with a hyphen.
    throw new StartError(`${messageOf(error).split(/\.\s|\n/)[0]}; ${hint}`);
  }
}

export function toList(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

export function toNamespace(flag: string, text: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) throw new StartError(`--${flag} ${text} is no namespace`);
  return text;
}

export function toBoolean(flag: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new StartError(`--${flag} ${text} is neither true nor false`);
  return text === 'true';
}

export function toCount(flag: string, text: string, least: number, most: number): number {
  const count = Number(text);
  if (text === '' || !Number.isInteger(count) || count < least || count > most)
    throw new StartError(`--${flag} ${text} is no number from ${least} to ${most}`);
  return count;
}

export function toMs(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new StartError(`--${flag} ${text} is no duration; give one such as 90s or 2m`);
  return ms;
}

export function oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw new StartError(`--${flag} ${text} is not one of ${allowed.join(', ')}`);
  return found;
}
