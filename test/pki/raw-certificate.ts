import { bitString, explicit, integer, sequence, time } from '../../src/pki/asn1/write.ts';
import type { CertificateContent } from '../../src/pki/issue.ts';

export interface RawContent extends Omit<CertificateContent, 'serialNumber'> {
  /** A whole INTEGER. */
  readonly serialDer: Buffer;
  /** AlgorithmIdentifier of the signature. */
  readonly algorithm: Buffer;
  /** 3 unless told; extensions need it. */
  readonly version?: 1 | 2 | 3;
  /** What stands between the public key and the extensions. */
  readonly uniqueIds?: readonly Buffer[];
}

/** A certificate (DER) with parts, or a signature, that `writeCertificate` doesn't write. */
export function rawCertificate(content: RawContent, sign: (tbs: Buffer) => Buffer): Buffer {
  const { algorithm, version = 3, extensions } = content;
  const tbs = sequence(
    // DEFAULT v1, and DER omits defaults (X.690 section 11.5).
    ...(version === 1 ? [] : [explicit(0, integer(version - 1))]),
    content.serialDer,
    algorithm,
    content.issuerDer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subjectDer,
    content.publicKeyDer,
    ...(content.uniqueIds ?? []),
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  return sequence(tbs, algorithm, bitString(sign(tbs)));
}
