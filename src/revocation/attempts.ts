import { toRfc3339 } from '../api/conditions.ts';
import { wholeSecondsUp } from '../api/moments.ts';
import { type CertwheelError, DeniedError, type ErrorCode, TerminalError } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';

/** Why a certificate could not be revoked, and when that is tried again. */
export interface Attempt {
  readonly code: ErrorCode;
  readonly message: string;
  readonly tries: number;
  /** When it was tried last; undefined where it was postponed each time. */
  readonly triedAt: Date | undefined;
  readonly failedAt: Date;
  readonly nextAt: Date;
  /** Whether the authority has answered no. */
  readonly isRefused: boolean;
}

const BACKOFF = { firstMs: 2_000, longestMs: 10 * 60_000 };
/** What an authority refuses it may do another day, such as after a change of a role. */
const REFUSED_MS = 3_600_000;

/** What is remembered of one more failure. */
export function failedAttempt(before: Attempt | undefined, error: CertwheelError, now: Date, random: number): Attempt {
  const tries = (before?.tries ?? 0) + 1;
  const isRefused = error instanceof DeniedError || error instanceof TerminalError;
  const waitMs = error.retryAfterMs ?? (isRefused ? REFUSED_MS : backoffMs(tries, BACKOFF, random));
  const nextAt = wholeSecondsUp(new Date(now.getTime() + waitMs));
  return { code: error.code, message: error.message, tries, triedAt: now, failedAt: now, nextAt, isRefused };
}

/** The same for what was not tried, since the authority fails for all alike. */
export function postponed(before: Attempt | undefined, failure: Attempt): Attempt {
  return { ...failure, triedAt: before?.triedAt };
}

/** When it is tried again. What failed in the future did so before the clock was set back. */
export function triedAgainAt(attempt: Attempt | undefined, now: Date): Date {
  return attempt === undefined || attempt.failedAt > now ? now : attempt.nextAt;
}

/** For people. */
export function attemptText({ message, nextAt }: Attempt): string {
  return `${message}; next attempt at ${toRfc3339(nextAt)}`;
}
