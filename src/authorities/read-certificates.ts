import { type CertificateView, parseCertificates } from '../pki/certificate.ts';
import { MAX_CHAIN } from '../pki/path.ts';

/**
 * The certificates of an answer, whose PEM stands in one text or in several: bounded all together, in size and in number,
 * before the first is looked at. Throws an Error that says what can't be read.
 */
export function readCertificates(texts: readonly string[], most = MAX_CHAIN): CertificateView[] {
  return parseCertificates(texts.join('\n'), { most });
}
