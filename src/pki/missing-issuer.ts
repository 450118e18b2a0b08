import type { CertificateView } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { isAlmostSameName } from './name.ts';
import { nameOf } from './path.ts';
import { namesAsIssuer } from './signed-by.ts';

/** Why a path ends at a certificate that is not self-signed: what is missing, or what is there and breaks the link. */
export function whyNoIssuer(top: CertificateView, store: CertificateStore, place: string): string {
  const name = nameOf(top);
  const others = store.named(top.issuerDer).filter((each) => each.fingerprintSHA256 !== top.fingerprintSHA256);
  const [namesake] = others;
  if (namesake === undefined) {
    const similar = store.all.find((each) => isAlmostSameName(each.subjectDer, top.issuerDer));
    if (similar !== undefined)
      return `key tls.crt: the issuer of ${name} and the subject of ${nameOf(similar)} differ in letter case or string type, and Go compares them byte by byte; sign ${name} again`;
    return `key tls.crt: the root ${top.issuerText} that signed ${name} is missing; put it into the key ca.crt of ${place}`;
  }
  if (!others.some((each) => namesAsIssuer(top, each)))
    return `key tls.crt: ${name} was signed by ${nameOf(namesake)}, but not by the certificate of that name that is at hand: its key id or serial number is another; put the one that signed it into the key ca.crt of ${place}`;
  return `key tls.crt: ${nameOf(namesake)} has the name of the CA that signed ${name}, but did not sign it; put the one that did into the key ca.crt of ${place}`;
}
