import type { Clock } from './clock.ts';
import { escapeInvisible } from './pki/name.ts';

const LONGEST_MESSAGE = 1_024;
/** A server that answers Retry-After: a year, by mistake, must not stop issuance for good. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** Retry-After in seconds or as an HTTP date. */
export function parseRetryAfter(header: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return clampRetryAfter(Number(header) * 1_000);
  const moment = Date.parse(header);
  return Number.isNaN(moment) ? undefined : clampRetryAfter(moment - clock.now().getTime());
}

export function clampRetryAfter(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}

/** The begin of a text, at most that many UTF-16 code units, without half of a surrogate pair at its end. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}

/**
 * A sentence for status, an event or a log line, which may quote foreign text: everything invisible is written out, and at
 * most `most` UTF-16 code units are left. The same again when it is read back and shown once more.
 */
export function readable(text: string, most: number): string {
  return cut(escapeInvisible(text), most);
}

/** What others wrote, on one line, without anything that a terminal obeys or that isn't seen. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cf}\p{Cs}\p{NChar}]+/gu, '')
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** What others answer may quote what they refuse, and that may be part of a key or a token. */
export function withoutSecrets(message: string, known: readonly string[] = []): string {
  let text = oneLine(message);
  // Before it is cut, since half a token would no longer be known for one.
  for (const secret of known) if (secret !== '') text = text.replaceAll(secret, '[…]');
  return cut(cut(text, 4 * LONGEST_MESSAGE).replace(/[A-Za-z0-9+/_=-]{64,}/g, '[…]'), LONGEST_MESSAGE);
}
