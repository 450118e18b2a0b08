import type { KeyObject } from 'node:crypto';
import { bitString, integer, oid, sequence, set, tlv } from './asn1/write.ts';
import { caBasicConstraints, nameExtensions, usageExtensions } from './extensions.ts';
import { keySpecOf, publicKeyDer } from './keys.ts';
import { encodeName, type Subject } from './name.ts';
import type { Names } from './san.ts';
import { algorithmIdentifierFor, signBytes } from './signature.ts';

export const CSR_LABEL = 'CERTIFICATE REQUEST';

const VERSION_1 = integer(0);
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ATTRIBUTES_TAG = 0xa0;

export interface CsrRequest {
  /** The private key of the certificate to come. */
  readonly key: KeyObject;
  readonly subject: Subject;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
  /** Whether it asks for a CA that signs no other CAs (path length 0). */
  readonly isCA?: boolean;
}

/** A certificate request (PKCS#10, RFC 2986) as DER. Throws an Error if subject, names or usages can't be written. */
export function makeCsr({ key, subject, names, usages, isCA = false }: CsrRequest): Buffer {
  const subjectDer = encodeName(subject);
  const extensions = [
    ...(isCA ? [caBasicConstraints(0)] : []),
    ...usageExtensions(usages),
    ...nameExtensions(names, subjectDer.length === 2),
  ];
  const attributes = extensions.length > 0 ? [sequence(oid(EXTENSION_REQUEST), set(sequence(...extensions)))] : [];
  // The attributes are there even if there is none: RFC 2986 section 4.1 doesn't make them OPTIONAL.
  const info = sequence(VERSION_1, subjectDer, publicKeyDer(key), tlv(ATTRIBUTES_TAG, ...attributes));
  return sequence(info, algorithmIdentifierFor(keySpecOf(key)), bitString(signBytes(info, key)));
}
