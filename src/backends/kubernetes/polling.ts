import { parseRfc3339 } from '../../api/conditions.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/**
 * A second at first, then a quarter of the time that has passed since the request was made, at most a minute: what is
 * signed at once is had at once, and what waits for a person for a day costs little. It is reckoned from the object, so
 * that a restart doesn't begin anew. One that is made in the future, by a clock that was set back, counts as just as old.
 */
export function pollAfterMs(object: RawObject, now: Date): number {
  const ageMs = now.getTime() - (parseRfc3339(parseMeta(object).createdAt)?.getTime() ?? now.getTime());
  return Math.min(LONGEST_MS, Math.max(FIRST_MS, Math.abs(ageMs) / 4));
}
