import { AuthorityError, DeniedError } from '../../errors.ts';
import type { CaArn } from './arn.ts';
import type { Description } from './description.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
/** The longest validity of a CA whose UsageMode is SHORT_LIVED_CERTIFICATE. */
const LONGEST_SHORT_LIFE_MS = 7 * DAY;
/** A life that ends this long before the CA's, or the 7 days, is never refused for a clock that is a little behind. */
const BEFORE_END_MS = 10 * SECOND;

/** In whole seconds since 1970, as `Validity` and `ValidityNotBefore` of the type ABSOLUTE have them. */
export interface ValiditySeconds {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The validity of a certificate of that life. AWS would reach back an hour unless told; here it is one minute, or a tenth
 * of a shorter life. AWS refuses what outlives the CA, so that is cut short. Throws an AuthorityError or a DeniedError.
 */
export function validityOf(
  lifetimeMs: number,
  { notAfter, isShortLived }: Description,
  ca: CaArn,
  now: Date,
): ValiditySeconds {
  if (isShortLived && lifetimeMs > LONGEST_SHORT_LIFE_MS)
    throw new DeniedError(
      'RequestDenied',
      `the CA ${ca.arn} has the mode SHORT_LIVED_CERTIFICATE, which issues for 7 days at most; set spec.duration to 168h or less, or use a CA of the mode GENERAL_PURPOSE`,
    );
  const beginMs = now.getTime() - Math.min(MINUTE, lifetimeMs / 10);
  const endMs = Math.min(
    now.getTime() + lifetimeMs,
    ...(notAfter === undefined ? [] : [notAfter.getTime() - BEFORE_END_MS]),
    // It isn't documented whether AWS counts the 7 days from notBefore or from the request.
    ...(isShortLived ? [beginMs + LONGEST_SHORT_LIFE_MS - BEFORE_END_MS] : []),
  );
  if (endMs - now.getTime() < Math.min(lifetimeMs, MINUTE))
    throw new AuthorityError('CAExpired', `the CA ${ca.arn} ends at ${notAfter?.toISOString()}`);
  return { notBefore: Math.floor(beginMs / SECOND), notAfter: Math.floor(endMs / SECOND) };
}
