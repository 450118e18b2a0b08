import type { KeyObject } from 'node:crypto';
import { type CertificateContent, signedCertificate, tbsCertificate } from '../../src/pki/issue.ts';
import { keySpecOf } from '../../src/pki/keys.ts';
import { signBytes } from '../../src/pki/signature.ts';

export interface SignedContent extends CertificateContent {
  readonly signingKey: KeyObject;
}

/** Writes and signs (DER) whatever it is given. */
export function writeCertificate({ signingKey, ...content }: SignedContent): Buffer {
  const spec = keySpecOf(signingKey);
  const tbs = tbsCertificate(content, spec);
  return signedCertificate(tbs, spec, signBytes(tbs, signingKey));
}
