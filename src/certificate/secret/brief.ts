import { hash } from 'node:crypto';

/** What is longer than its digest and stands in thousands of objects is kept as the digest. */
const LONGEST = 100;

/** The text or, where it is long, a digest of it: equal exactly where the texts are. */
export function brief(text: string): string {
  return text.length <= LONGEST ? text : hash('sha256', text, 'base64');
}

/** Each value brief. */
export function briefly(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, brief(value)]));
}
