import type { CertificateView } from './certificate.ts';
import { isAlmostSameName } from './name.ts';
import { namesAsIssuerForOpenssl } from './signed-by.ts';

/**
 * What OpenSSL looks at: it compares names without regard to their case and string types, so a certificate of the
 * anchor's key under another spelling of its name is passed over, with all between the two.
 */
export function readByOpenssl(path: readonly CertificateView[]): readonly CertificateView[] {
  const anchor = path.at(-1);
  const at = path.findIndex((each, index) => anchor !== undefined && isRespelled(each, anchor, path[index - 1]));
  return anchor === undefined || at < 0 ? path : [...path.slice(0, at), anchor];
}

function isRespelled(issuer: CertificateView, anchor: CertificateView, child: CertificateView | undefined): boolean {
  return (
    issuer.publicKeyPin === anchor.publicKeyPin &&
    isAlmostSameName(issuer.subjectDer, anchor.subjectDer) &&
    (child === undefined || namesAsIssuerForOpenssl(child, anchor))
  );
}
