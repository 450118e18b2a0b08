import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { AuthorityError } from '../../errors.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { messageOf } from '../../thrown.ts';

const MAX_CA_BUNDLE_BYTES = 500_000;

export interface ServerIdentity {
  /** The CAs that the server's certificate must lead to, roots or not. */
  readonly anchors: readonly Pick<CertificateView, 'pem'>[];
  /** Why the certificate (DER) isn't that of the expected server, as the rest of a sentence. */
  problem(certificate: Buffer): string | undefined;
}

/** The certificate that Certwheel shows to servers that ask for one, with its key. */
export interface ClientIdentity {
  /** Names the source in messages, such as `Secret shop/login`. */
  readonly place: string;
  /** The same for the same certificate and key. */
  readonly id: string;
  /** PEM, leaf first. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Anchors that are no roots are trusted too: a trust domain may have nothing else (X509-SVID section 5.1). */
export function trustingAlone({ anchors }: ServerIdentity): SecureContext {
  return createSecureContext({ ca: anchors.map(({ pem }) => pem), allowPartialTrustChain: true });
}

/**
 * Trusts the CAs of that PEM, or those of the system without it. Throws an AuthorityError for a bundle, or for a
 * certificate or key to be shown, that TLS can't use.
 */
export function trusting(caBundle: string | undefined, shown: ClientIdentity | undefined): SecureContext {
  const ca =
    caBundle === undefined
      ? [...getCACertificates('default'), ...getCACertificates('system')]
      : certificatesOf(caBundle);
  if (shown === undefined) return named('caBundle', 'AuthorityMisconfigured', () => createSecureContext({ ca }));
  const { place, cert, key } = shown;
  return named(`the client certificate in ${place}`, 'CredentialsRefused', () =>
    createSecureContext({ ca, cert, key }),
  );
}

function certificatesOf(caBundle: string): string[] {
  return named('caBundle', 'AuthorityMisconfigured', () => {
    const certificates = parseCertificates(caBundle, { maxBytes: MAX_CA_BUNDLE_BYTES });
    if (certificates.length === 0) throw new Error('it holds no certificate');
    return certificates.map(({ pem }) => pem);
  });
}

function named<T>(what: string, code: 'AuthorityMisconfigured' | 'CredentialsRefused', make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new AuthorityError(code, `${what} can't be used: ${messageOf(error)}`);
  }
}
