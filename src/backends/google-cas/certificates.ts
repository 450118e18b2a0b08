import { AuthorityError, RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { distinct } from '../../pki/certificate.ts';
import { MAX_CHAIN } from '../../pki/path-search.ts';
import { isSelfIssued, isSelfSigned, newEffort } from '../../pki/signed-by.ts';
import type { Issued, Trust } from '../backend.ts';
import { membersOf, textsOf } from '../http/json-members.ts';
import { readCertificates } from '../shared/read-certificates.ts';

/** A pool has up to some dozen CAs, each with its chain. */
const MOST_POOL_CERTIFICATES = 100;
const MOST_CHAINS = 100;

/** What to trust of a pool: FetchCaCertsResponse has the chains of all CAs that are enabled, disabled or staged. */
export function readTrust(body: unknown, pool: string): Trust {
  const { caCerts } = membersOf(body);
  const chains = (Array.isArray(caCerts) ? caCerts : []).slice(0, MOST_CHAINS);
  const texts = chains.flatMap((each) => textsOf(membersOf(each).certificates));
  const certificates = distinct(read(texts, `the CA certificates of ${pool}`, MOST_POOL_CERTIFICATES));
  if (certificates.length === 0)
    throw new AuthorityError('TrustBundleNotFound', `${pool} has no CA certificate; create and enable a CA in it`);
  const other = certificates.find(({ isCA }) => !isCA);
  if (other !== undefined)
    throw new AuthorityError('InvalidAnswer', `${pool} lists ${JSON.stringify(other.subjectText)}, which is not a CA`);
  const effort = newEffort();
  const anchors = certificates.filter((each) => isSelfSigned(each, effort));
  if (effort.costLeft < 0)
    throw new AuthorityError('InvalidAnswer', `the signatures of the CAs of ${pool} take too long to verify`);
  const [below] = certificates;
  if (anchors.length === 0 && below !== undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `${pool} holds ${below.subjectText} and not its root ${below.issuerText}; activate the CA with its whole chain: gcloud privateca subordinates activate --pem-chain`,
    );
  const intermediates = certificates.filter((each) => !anchors.includes(each));
  return { anchors, intermediates: intermediates.slice(0, MAX_CHAIN) };
}

/** The chain of a Certificate, without its root. Throws where it isn't readable. */
export function readIssued(body: unknown): Issued {
  const { name, pemCertificate, pemCertificateChain } = membersOf(body);
  if (typeof pemCertificate !== 'string')
    throw new RetryableError('InvalidAnswer', 'Google answered without a certificate');
  const chain = read([pemCertificate, ...textsOf(pemCertificateChain)], 'the answer');
  return {
    chain: chain.filter((each, at) => at === 0 || !isSelfIssued(each)),
    externalId: typeof name === 'string' ? idIn(name) : undefined,
  };
}

/** The certificate itself, to see which one it is. */
export function readLeaf(body: unknown): CertificateView | undefined {
  return read(textsOf([membersOf(body).pemCertificate]), 'the certificate')[0];
}

/** The last part of a resource name; the rest is that of the spec. */
export function idIn(name: string): string | undefined {
  return /\/certificates\/([A-Za-z0-9_-]{1,63})$/.exec(name)?.[1];
}

function read(texts: readonly string[], what: string, most?: number): CertificateView[] {
  return readCertificates(texts, (why) => new AuthorityError('InvalidAnswer', `${what} can't be read: ${why}`), most);
}
