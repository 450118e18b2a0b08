import { SUBJECT_FIELDS, type Subject, valuesOf } from './name.ts';
import type { ReadCsr } from './read-csr.ts';
import { canonicalName, NAME_FIELDS, type Names } from './san.ts';

interface Identity {
  readonly subject: Subject;
  readonly names: Names;
}

/** A field of a subject or a kind of name, and a value of it. */
interface Named {
  readonly field: string;
  readonly value: string;
}

/** The first name of a request that an identity lacks; undefined where the identity has all of them. */
export function uncoveredName(csr: ReadCsr, identity: Identity): Named | undefined {
  const [attribute] = csr.foreignAttributes;
  if (attribute !== undefined) return { field: 'subject', value: attribute };
  const [kind] = csr.foreignNames;
  if (kind !== undefined) return { field: 'subject alternative names', value: kind };
  return firstBeyond(csr, identity);
}

/** The first name of an identity that a request lacks; undefined where the request has all of them. */
export function missingName(csr: ReadCsr, identity: Identity): Named | undefined {
  return firstBeyond(identity, csr);
}

/** Letter case counts in a subject, as in policies; in host names it doesn't. */
function firstBeyond(one: Identity, other: Identity): Named | undefined {
  for (const field of SUBJECT_FIELDS) {
    const known = new Set(valuesOf(other.subject, field));
    const value = valuesOf(one.subject, field).find((each) => !known.has(each));
    if (value !== undefined) return { field: field === 'commonName' ? field : `subject.${field}`, value };
  }
  for (const field of NAME_FIELDS) {
    const known = new Set(other.names[field].map((each) => canonicalName(field, each)));
    const value = one.names[field].find((each) => !known.has(canonicalName(field, each)));
    if (value !== undefined) return { field, value };
  }
  return undefined;
}
