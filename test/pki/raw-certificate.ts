import { bitString, explicit, integer, sequence, time } from '../../src/pki/asn1/write.ts';
import type { CertificateContent } from '../../src/pki/issue.ts';

export interface RawContent extends Omit<CertificateContent, 'serialNumber'> {
  /** A whole INTEGER. */
  readonly serialDer: Buffer;
  /** AlgorithmIdentifier of the signature. */
  readonly algorithm: Buffer;
  /** What stands between the public key and the extensions. */
  readonly uniqueIds?: readonly Buffer[];
}

/** A certificate (DER) with parts, or a signature, that `writeCertificate` doesn't write. */
export function rawCertificate(content: RawContent, sign: (tbs: Buffer) => Buffer): Buffer {
  const { algorithm } = content;
  const tbs = sequence(
    explicit(0, integer(2)),
    content.serialDer,
    algorithm,
    content.issuerDer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subjectDer,
    content.publicKeyDer,
    ...(content.uniqueIds ?? []),
    explicit(3, sequence(...content.extensions)),
  );
  return sequence(tbs, algorithm, bitString(sign(tbs)));
}
