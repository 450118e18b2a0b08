import { implicit, oid, sequence } from './asn1/write.ts';
import { extension } from './extensions.ts';

const OID = { authorityInfoAccess: '1.3.6.1.5.5.7.1.1', ocsp: '1.3.6.1.5.5.7.48.1' } as const;
const URI = 6;

/** The extension of a leaf that says where its status is answered by OCSP (RFC 5280 section 4.2.2.1); not critical. */
export function ocspAccess(url: string): Buffer {
  const description = sequence(oid(OID.ocsp), implicit(URI, Buffer.from(url, 'latin1')));
  return extension(OID.authorityInfoAccess, false, sequence(description));
}
