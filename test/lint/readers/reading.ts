/**
 * What a reader finds in one certificate, in a form in which all readers can say it. Texts are the hex of their UTF-8, so
 * that no reader escapes anything. See the programs in openssl/, go/ and python/.
 */
export interface Reading {
  readonly version: number;
  /** Hex of the unsigned bytes, of even length, without a leading zero byte. */
  readonly serialNumber: string;
  /** Dotted decimals. */
  readonly signatureAlgorithm: string;
  readonly issuer: readonly ReadAttribute[];
  readonly subject: readonly ReadAttribute[];
  /** How many attributes each RDN of the subject has. */
  readonly subjectRdns: readonly number[];
  /** Universal tags of the values of the subject; Go has none. */
  readonly subjectTags?: readonly number[];
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `ECDSA P-256`, `RSA 2048`, `Ed25519`. */
  readonly key: string;
  /** Hex of the SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiSHA256: string;
  /** In their order; dotted decimals, and whether it is critical. */
  readonly extensions: readonly (readonly [oid: string, critical: boolean])[];
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** Hex of 4 or 16 bytes. */
  readonly ipAddresses: readonly string[];
  /** Tags of the GeneralNames of other kinds; Go has none. */
  readonly otherNames?: readonly number[];
  /** The numbers of the bits; null where there is no extension. */
  readonly keyUsage: readonly number[] | null;
  readonly extendedKeyUsage: readonly string[] | null;
  /** Null where there is no extension. */
  readonly isCA: boolean | null;
  readonly pathLength: number | null;
  /** Hex. */
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
}

export type ReadAttribute = readonly [oid: string, value: string];

/** What a reader answers to a line: a reading, or why it refuses the certificate. */
export type Answer = Reading | { readonly refused: string };

export function isReading(answer: Answer): answer is Reading {
  return !('refused' in answer);
}

/** Fields that Go's crypto/x509 doesn't have. */
export const NOT_IN_GO = ['subjectTags', 'otherNames'] as const satisfies readonly (keyof Reading)[];
