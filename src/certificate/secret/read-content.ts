import type { RawObject } from '../../api/parse.ts';
import { idOfChain } from '../../pki/ca.ts';
import { type CertificateView, parseCertificate, verifySignature } from '../../pki/certificate.ts';
import { pemMatches } from '../../pki/key-match.ts';
import { type KeyEncoding, keyEncodingOf } from '../../pki/keys.ts';
import { endsOf } from '../../pki/path.ts';
import { parsePem } from '../../pki/pem.ts';
import { type Effort, namesAsIssuer, newEffort } from '../../pki/signed-by.ts';
import { RecentlyUsed } from '../../recently-used.ts';
import { messageOf } from '../../thrown.ts';

/** What the data of a Secret holds. It belongs together, and is proven to but for what is owed. */
export interface SecretContent {
  readonly leaf: CertificateView;
  /** The CA certificate that signed the leaf, from tls.crt or ca.crt. */
  readonly issuer: CertificateView;
  /** The CA certificates of ca.crt to which the chain leads: several while a root is renewed. */
  readonly anchors: readonly CertificateView[];
  /** idOfChain of what stands behind the leaf in tls.crt. */
  readonly issuersId: string;
  /** Undefined where the Secret is one without a key, since the client keeps that itself. */
  readonly keyEncoding: KeyEncoding | undefined;
  /**
   * Verifies the leaf's signature, where that was put off: undefined where it wasn't. It costs more than all the rest,
   * and it is not needed before the Secret is reconciled, so a start with thousands of them doesn't wait for it.
   */
  readonly owedProof: (() => boolean) | undefined;
}

/** A certificate whose path takes many signatures: read when the key's own turn comes, not on arrival. */
export interface OwedContent {
  readonly leaf: CertificateView;
  /** What it keeps to be settled, in bytes, roughly. */
  readonly weight: number;
  /** Throws a SecretContentError. */
  settle(): SecretContent;
}

/** Says in a sentence why the data of a Secret is no usable certificate. */
export class SecretContentError extends Error {}

/** The certificate in tls.crt has no way to a CA certificate of ca.crt. */
export const LEADS_NOWHERE = 'the certificate in tls.crt does not lead to a CA certificate of ca.crt';

/**
 * Reads tls.crt, tls.key and ca.crt and proves that the key is the leaf's and that the leaf leads to a certificate of
 * ca.crt, the signature of an ordinary leaf excepted (`owedProof`). Whether it has expired is not asked here, since that
 * changes with time. In a Secret without a key (see holdsKey) there is none to compare.
 */
export function readSecretContent(
  data: RawObject['data'] = {},
  withKey = true,
  costOnArrival = COST_ON_ARRIVAL,
): SecretContent | OwedContent {
  const chain = certificatesOf(data, 'tls.crt');
  const [leaf] = chain;
  if (leaf === undefined) throw new SecretContentError('tls.crt holds no certificate');
  if (withKey && !keyFits(leaf, data))
    throw new SecretContentError('tls.key is not the key of the certificate in tls.crt');
  const keyEncoding = withKey ? keyEncodingOf(textOf(data, 'tls.key')) : undefined;
  const anchors = trustBundleOf(data['ca.crt'] ?? '');
  const named = chain.length === 1 ? anchors.filter((each) => namesAsIssuer(leaf, each)) : [];
  const [anchor, ...others] = named;
  if (anchor === undefined || others.length > 0)
    return provenOrOwed(leaf, chain, keyEncoding, data['ca.crt'] ?? '', costOnArrival);
  // No other CA of the bundle comes into question, so the signature decides about good or bad alone.
  const owedProof = proofOf(leaf.der.toString('latin1'), leaf.signatureAlgorithm, anchor);
  return { leaf, issuersId: idOfChain([]), keyEncoding, issuer: anchor, anchors: [anchor], owedProof };
}

/** Two signatures of P-521, or dozens of the usual kinds. In hundredths of a millisecond, see Effort. */
export const COST_ON_ARRIVAL = 400;

function provenOrOwed(
  leaf: CertificateView,
  chain: readonly CertificateView[],
  keyEncoding: KeyEncoding | undefined,
  trustBundle: string,
  costOnArrival: number,
): SecretContent | OwedContent {
  const effort = newEffort(costOnArrival);
  try {
    return contentOf(chain, keyEncoding, trustBundle, effort);
  } catch (error) {
    if (effort.costLeft >= 0 && effort.stepsLeft >= 0) throw error;
    // The certificates are kept as bytes and parsed, and as text.
    const weight = 4 * chain.reduce((sum, { der }) => sum + der.length, trustBundle.length);
    return { leaf, weight, settle: () => contentOf(chain, keyEncoding, trustBundle) };
  }
}

/**
 * The certificate comes as text, and alone: its buffer is a piece of a larger one in which a key may lie, and what a
 * function of the caller's scope would keep is all that any function there refers to.
 */
function proofOf(der: string, signatureAlgorithm: string, anchor: CertificateView): () => boolean {
  return () => verifySignature({ der: Buffer.from(der, 'latin1'), signatureAlgorithm }, anchor);
}

/** The same of a chain whose key is known to fit, leaf first; `trustBundle` in base64, as it stands in `ca.crt`. */
export function contentOf(
  [leaf, ...intermediates]: readonly CertificateView[],
  keyEncoding: KeyEncoding | undefined,
  trustBundle: string,
  effort = newEffort(),
): SecretContent {
  if (leaf === undefined) throw new SecretContentError('there is no certificate');
  const issuersId = idOfChain(intermediates);
  const ends = pathToAnchor(leaf, intermediates, trustBundleOf(trustBundle), effort);
  return { leaf, issuersId, keyEncoding, ...ends, owedProof: undefined };
}

function certificatesOf(data: NonNullable<RawObject['data']>, key: string): CertificateView[] {
  const text = data[key];
  if (text === undefined || text === '') throw new SecretContentError(`${key} is missing`);
  try {
    return parsePem(textOf(data, key)).map((block) => parseCertificate(block.der));
  } catch (error) {
    throw new SecretContentError(`${key} can't be read: ${messageOf(error)}`, { cause: error });
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

/** The same few bundles stand in every Secret, so each is parsed once. Weighed by their text; parsed they take several times as much. */
const bundles = new RecentlyUsed<readonly CertificateView[]>({ most: 128, mostWeight: 2_000_000 });

function trustBundleOf(base64: string): readonly CertificateView[] {
  const known = bundles.get(base64);
  if (known !== undefined) return known;
  // Of a CA that was renewed under its old key, the certificate that stays longest is the one that counts.
  const parsed = certificatesOf({ 'ca.crt': base64 }, 'ca.crt').sort(
    (one, other) => other.notAfter.getTime() - one.notAfter.getTime(),
  );
  bundles.set(base64, parsed, base64.length);
  return parsed;
}

function pathToAnchor(
  leaf: CertificateView,
  intermediates: readonly CertificateView[],
  anchors: readonly CertificateView[],
  effort: Effort,
) {
  const ends = endsOf(leaf, intermediates, anchors, effort);
  if (ends === undefined) throw new SecretContentError(LEADS_NOWHERE);
  return ends;
}
