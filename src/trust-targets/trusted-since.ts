import { parseRfc3339, toRfc3339 } from '../api/conditions.ts';
import { wholeSecondsUp } from '../api/moments.ts';

/** Since when an object holds each CA certificate, by fingerprint. */
export type TrustedSince = ReadonlyMap<string, Date>;

/** Of a fingerprint, 128 bits: nobody finds a second certificate for them. */
const FINGERPRINT_DIGITS = 32;

/** `<fingerprint>=<RFC 3339>`, separated by commas. A moment in parts of a second is rounded up, so that it is never too early. */
export function writeTrustedSince(since: TrustedSince): string {
  return [...since]
    .map(([fingerprint, moment]) => `${idOf(fingerprint)}=${toRfc3339(wholeSecondsUp(moment))}`)
    .sort()
    .join(',');
}

/** Since when, as an object says; undefined where it doesn't say so, or in no words of ours. */
export function readTrustedSince(text: string, fingerprint: string): Date | undefined {
  const start = `${idOf(fingerprint)}=`;
  const found = text.split(',').find((each) => each.startsWith(start));
  return found === undefined ? undefined : parseRfc3339(found.slice(start.length));
}

function idOf(fingerprint: string): string {
  return fingerprint.slice(0, FINGERPRINT_DIGITS);
}
