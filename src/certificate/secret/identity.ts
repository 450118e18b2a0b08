import type { Identity } from '../../api/client-certificate.ts';
import { shared } from '../../api/shared.ts';
import type { Subject } from '../../pki/name.ts';
import { canonicalNames } from '../../pki/san.ts';
import { brief } from './brief.ts';

/** An identity as brief text that is equal exactly where two identities mean the same; order and spelling don't count. */
export interface CanonicalIdentity {
  readonly subject: string;
  readonly names: string;
  readonly usages: string;
}

export function canonicalIdentity({ subject, names, usages }: Identity): CanonicalIdentity {
  return {
    subject: brief(canonicalSubject(subject)),
    names: brief(canonicalNames(names)),
    usages: shared(brief([...new Set(usages)].sort().join(', '))),
  };
}

function canonicalSubject(subject: Subject): string {
  const present = Object.entries(subject).filter(([, value]) => value !== undefined && value.length > 0);
  const ordered = present.map(([field, value]) => [field, Array.isArray(value) ? [...value].sort() : value] as const);
  return JSON.stringify(ordered.sort(([one], [other]) => (one < other ? -1 : 1)));
}
