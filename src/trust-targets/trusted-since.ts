import { parseRfc3339, toRfc3339 } from '../api/conditions.ts';
import { wholeSecondsUp } from '../api/moments.ts';
import { RecentlyUsed } from '../recently-used.ts';

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

type Reader = (fingerprint: string) => Date | undefined;

/** Objects that were written together say the same, and each look asks each of them for each CA certificate. */
const readers = new RecentlyUsed<Reader>({ most: 1_000, mostWeight: 4_000_000 });

/** Since when, as an object says; undefined where it doesn't say so, or in no words of ours. */
export function readTrustedSince(text: string, fingerprint: string): Date | undefined {
  const known = readers.get(text);
  if (known !== undefined) return known(fingerprint);
  const made = readerOf(text);
  readers.set(text, made, 100 + 4 * text.length);
  return made(fingerprint);
}

function readerOf(text: string): Reader {
  const moments = new Map(text.split(',').map((each) => [each.slice(0, FINGERPRINT_DIGITS), each] as const));
  return (fingerprint) => {
    const found = moments.get(idOf(fingerprint));
    return found?.[FINGERPRINT_DIGITS] === '=' ? parseRfc3339(found.slice(FINGERPRINT_DIGITS + 1)) : undefined;
  };
}

function idOf(fingerprint: string): string {
  return fingerprint.slice(0, FINGERPRINT_DIGITS);
}
