import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { messageOf } from '../thrown.ts';
import { type CertificateView, parseCertificate } from './certificate.ts';
import { nameOf } from './path.ts';

/** What the bundle of a SPIFFE trust domain says of its X.509 CAs. */
export interface SpiffeBundle {
  /** One of each key with the use x509-svid, in their order; nothing about them has been judged. */
  readonly certificates: readonly CertificateView[];
  /** How often the bundle wants to be read. */
  readonly refreshHintMs: number | undefined;
}

/** Far above what any trust domain has, with keys for JWTs beside those for X.509. */
const MOST_KEYS = 1_000;
/** Every target gets them all. */
const MOST_CERTIFICATES = 100;
/** In base64, see parseCertificate. */
const LONGEST_CERTIFICATE = 90_000;
const X509_SVID = 'x509-svid';
/** RFC 7517 section 4.7: base64, and not base64url as in the rest of a JWK. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads a bundle as an endpoint serves it (SPIFFE Trust Domain and Bundle, section 4): a JWK set (RFC 7517). Keys of another
 * use are ignored, and so are keys of a type that isn't known. A key of the use x509-svid that breaks the rules makes the
 * whole bundle bad, as for go-spiffe: to leave it out alone could cut off its clients in silence. Throws an Error.
 */
export function readSpiffeBundle(document: unknown): SpiffeBundle {
  const { keys, spiffe_refresh_hint: hint } = membersOf(document);
  if (!Array.isArray(keys)) throw new Error('it has no list "keys", so it is no SPIFFE bundle');
  if (keys.length > MOST_KEYS) throw new Error(`it has ${keys.length} keys, and at most ${MOST_KEYS} are read`);
  const ours = keys.flatMap((key, index) => (membersOf(key).use === X509_SVID ? [{ key: membersOf(key), index }] : []));
  if (ours.length > MOST_CERTIFICATES)
    throw new Error(`it has ${ours.length} keys of the use ${X509_SVID}, and at most ${MOST_CERTIFICATES} are read`);
  return {
    certificates: ours.flatMap(({ key, index }) => certificateOf(key, `keys[${index}]`) ?? []),
    refreshHintMs: typeof hint === 'number' && Number.isFinite(hint) && hint > 0 ? hint * 1_000 : undefined,
  };
}

function certificateOf(key: Members, place: string): CertificateView | undefined {
  if (typeof key.kty !== 'string') throw new Error(`${place} has no type (kty)`);
  if (!['EC', 'RSA', 'OKP'].includes(key.kty)) return undefined;
  const { x5c } = key;
  if (!Array.isArray(x5c) || x5c.length !== 1)
    throw new Error(`${place} has ${Array.isArray(x5c) ? x5c.length : 'no'} certificates in x5c, and must have one`);
  const [text] = x5c;
  if (typeof text !== 'string' || text.length > LONGEST_CERTIFICATE || !BASE64.test(text))
    throw new Error(`${place}: its certificate in x5c is no base64`);
  const certificate = parsed(text, place);
  if (!keyOf(key, place).equals(certificate.publicKeyDer))
    throw new Error(`${place} is another key than that of its certificate ${nameOf(certificate)}`);
  return certificate;
}

function parsed(base64: string, place: string): CertificateView {
  try {
    return parseCertificate(Buffer.from(base64, 'base64'));
  } catch (error) {
    throw new Error(`${place}: its certificate in x5c can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Its SubjectPublicKeyInfo. */
function keyOf(key: Members, place: string): Buffer {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  } catch (error) {
    throw new Error(`${place} is no public key as RFC 7518 has it`, { cause: error });
  }
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

/** Why a CA certificate doesn't belong to a trust domain, as the rest of a sentence (X509-SVID section 4.2); else undefined. */
export function trustDomainProblem(certificate: CertificateView, trustDomain: string): string | undefined {
  const other = certificate.names.uris.find((uri) => {
    const [, domain] = /^spiffe:\/\/([^/]*)/i.exec(uri) ?? [];
    return domain !== undefined && domain.toLowerCase() !== trustDomain;
  });
  return other === undefined ? undefined : `is of another trust domain: it has the SPIFFE ID ${other}`;
}

/** Why the certificate of a server (DER) doesn't show the SPIFFE ID, as the rest of a sentence (X509-SVID sections 2 to 5). */
export function serverIdProblem(der: Buffer, id: string): string | undefined {
  let shown: CertificateView;
  try {
    shown = parseCertificate(der);
  } catch (error) {
    return `can't be read: ${messageOf(error)}`;
  }
  const { names, isCA } = shown;
  if (isCA) return 'is that of a CA';
  const { uris } = names;
  if (uris.length === 1 && uris[0] === id) return undefined;
  return uris.length === 0 ? 'has no SPIFFE ID' : `has the SPIFFE ID ${uris.slice(0, 2).join(' and ')}`;
}
