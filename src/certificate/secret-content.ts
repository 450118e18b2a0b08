import type { RawObject } from '../api/parse.ts';
import { type CertificateView, parseCertificate } from '../pki/certificate.ts';
import { pemMatches } from '../pki/key-match.ts';
import { type KeyEncoding, keyEncodingOf } from '../pki/keys.ts';
import { isIssuedBy } from '../pki/path.ts';
import { parsePem } from '../pki/pem.ts';

/** What the data of a kubernetes.io/tls Secret holds, proven to belong together. */
export interface SecretContent {
  readonly leaf: CertificateView;
  /** The CA certificate that signed the leaf, from tls.crt or ca.crt. */
  readonly issuer: CertificateView;
  /** The CA certificate of ca.crt at which the chain ends. */
  readonly anchor: CertificateView;
  readonly keyEncoding: KeyEncoding;
}

/** Says in a sentence why the data of a Secret is no usable certificate. */
export class SecretContentError extends Error {}

/**
 * Reads tls.crt, tls.key and ca.crt and proves that the key is the leaf's and that the leaf leads to a certificate of
 * ca.crt. Whether it has expired is not asked here, since that changes with time.
 */
export function readSecretContent(data: RawObject['data'] = {}): SecretContent {
  const chain = certificatesOf(data, 'tls.crt');
  const [leaf] = chain;
  if (leaf === undefined) throw new SecretContentError('tls.crt holds no certificate');
  if (!keyFits(leaf, data)) throw new SecretContentError('tls.key is not the key of the certificate in tls.crt');
  return contentOf(chain, keyEncodingOf(textOf(data, 'tls.key')), data['ca.crt'] ?? '');
}

/** The same of a chain whose key is known to fit, leaf first; `trustBundle` in base64, as it stands in `ca.crt`. */
export function contentOf(
  [leaf, ...intermediates]: readonly CertificateView[],
  keyEncoding: KeyEncoding,
  trustBundle: string,
): SecretContent {
  if (leaf === undefined) throw new SecretContentError('there is no certificate');
  return { leaf, keyEncoding, ...pathToAnchor(leaf, intermediates, trustBundleOf(trustBundle)) };
}

function certificatesOf(data: NonNullable<RawObject['data']>, key: string): CertificateView[] {
  const text = data[key];
  if (text === undefined || text === '') throw new SecretContentError(`${key} is missing`);
  try {
    return parsePem(textOf(data, key)).map((block) => parseCertificate(block.der));
  } catch (error) {
    throw new SecretContentError(`${key} can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function keyFits(leaf: CertificateView, data: NonNullable<RawObject['data']>): boolean {
  const text = data['tls.key'];
  if (text === undefined || text === '') throw new SecretContentError('tls.key is missing');
  try {
    return pemMatches(leaf.publicKeyDer, textOf(data, 'tls.key'));
  } catch {
    // Whatever the parser says may quote what it read.
    throw new SecretContentError("tls.key can't be read as a private key");
  }
}

function textOf(data: NonNullable<RawObject['data']>, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString('latin1');
}

/** The same few bundles stand in every Secret, so each is parsed once. */
const bundles = new Map<string, readonly CertificateView[]>();
const MOST_BUNDLES = 64;

function trustBundleOf(base64: string): readonly CertificateView[] {
  const known = bundles.get(base64);
  if (known !== undefined) return known;
  // Of a CA that was renewed under its old key, the certificate that stays longest is the one that counts.
  const parsed = certificatesOf({ 'ca.crt': base64 }, 'ca.crt').sort(
    (one, other) => other.notAfter.getTime() - one.notAfter.getTime(),
  );
  if (bundles.size >= MOST_BUNDLES) bundles.clear();
  bundles.set(base64, parsed);
  return parsed;
}

function pathToAnchor(
  leaf: CertificateView,
  intermediates: readonly CertificateView[],
  anchors: readonly CertificateView[],
) {
  let issuer: CertificateView | undefined;
  let tip = leaf;
  for (let depth = 0; depth <= intermediates.length; depth++) {
    // By its name too: a CA that is renewed may keep its key.
    const anchor = anchors.find((each) => isIssuedBy(tip, each));
    if (anchor !== undefined) return { issuer: issuer ?? anchor, anchor };
    const next = intermediates.find((each) => each !== tip && isIssuedBy(tip, each));
    if (next === undefined) break;
    issuer ??= next;
    tip = next;
  }
  throw new SecretContentError('the certificate in tls.crt does not lead to a CA certificate of ca.crt');
}
