import { messageOf } from '../thrown.ts';
import { type CertificateView, parseCertificate } from './certificate.ts';
import type { CertificateBlock } from './material.ts';

/** Parses one block that stands at `place`. Throws what `refusal` makes of a message that names the block. */
export function parseBlock(
  { number, der }: CertificateBlock,
  place: string,
  refusal: (message: string) => Error,
): CertificateView {
  try {
    return parseCertificate(der);
  } catch (error) {
    throw refusal(`${place}, block ${number}: the certificate is malformed: ${messageOf(error)}`);
  }
}
