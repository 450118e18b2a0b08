import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { MAX_CHAIN } from '../../pki/path-search.ts';
import { messageOf } from '../../thrown.ts';

/**
 * The certificates of an answer, whose PEM stands in one text or in several: bounded all together, in size and in number,
 * before the first is parsed. Throws what `refusal` makes of the reason why they can't be read.
 */
export function readCertificates(
  texts: readonly string[],
  refusal: (why: string) => Error,
  most = MAX_CHAIN,
): CertificateView[] {
  try {
    return parseCertificates(texts.join('\n'), { most });
  } catch (error) {
    throw refusal(messageOf(error));
  }
}
