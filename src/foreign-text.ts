import type { Clock } from './clock.ts';

const LONGEST_MESSAGE = 1_024;
/** Someone who says "come back in a year" by mistake mustn't stop us for good. */
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

/** What others answer may quote what they refuse, and that may be part of a key or a token. */
export function withoutSecrets(message: string, known: readonly string[] = []): string {
  let text = message.slice(0, 4 * LONGEST_MESSAGE);
  for (const secret of known) if (secret !== '') text = text.replaceAll(secret, '[…]');
  return visible(text.replace(/[A-Za-z0-9+/_=-]{64,}/g, '[…]')).slice(0, LONGEST_MESSAGE);
}

/** On one line, and without what is a command to a terminal or turns text around. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
