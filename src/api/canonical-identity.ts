import { hash } from 'node:crypto';
import type { Subject } from '../pki/name.ts';
import { canonicalNames } from '../pki/san.ts';
import type { Identity } from './client-certificate.ts';
import { shared } from './shared.ts';

/** An identity as digests that are equal exactly where two identities mean the same; order and spelling don't count. */
export interface CanonicalIdentity {
  readonly subject: string;
  readonly names: string;
  readonly usages: string;
}

/** Of each digest of a CanonicalIdentity. */
export const DIGEST_BYTES = 16;

export function canonicalIdentity({ subject, names, usages }: Identity): CanonicalIdentity {
  return {
    subject: digest(canonicalSubject(subject)),
    names: digest(canonicalNames(names)),
    usages: shared(digest([...new Set(usages)].sort().join(', '))),
  };
}

/** In base64. Another identity of the same digest can't be found. */
function digest(text: string): string {
  return hash('sha256', text, 'buffer').toString('base64', 0, DIGEST_BYTES);
}

function canonicalSubject(subject: Subject): string {
  const present = Object.entries(subject).filter(([, value]) => value !== undefined && value.length > 0);
  const ordered = present.map(([field, value]) => [field, Array.isArray(value) ? [...value].sort() : value] as const);
  return JSON.stringify(ordered.sort(([one], [other]) => (one < other ? -1 : 1)));
}
