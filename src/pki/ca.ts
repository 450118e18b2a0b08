import { createPublicKey, sign, verify } from 'node:crypto';
import { CERTIFICATE_LABEL, type CertificateView, parseCertificate } from './certificate.ts';
import { orderChain } from './chain.ts';
import { keyMatches } from './key-match.ts';
import { type PrivateKey, parsePrivateKey } from './keys.ts';
import { isIssuedBy, issuersProblem } from './path.ts';
import { EncryptedPemError, MAX_PEM_BYTES, type PemBlock, parsePem } from './pem.ts';

/** A CA that can sign: proven to belong together by `readCaPair`. */
export interface CaPair {
  readonly certificate: CertificateView;
  /** `certificate` first, then its issuers; the root last if it is known. */
  readonly chain: readonly CertificateView[];
  /** The top of `chain`: what verifiers must trust. */
  readonly anchor: CertificateView;
  readonly key: PrivateKey;
  /** As it was given. */
  readonly keyPem: string;
}

export type CaPairFlaw =
  | 'TooLarge'
  | 'NotPem'
  | 'NoCertificate'
  | 'UnreadableCertificate'
  | 'NotACa'
  | 'Expired'
  | 'NotYetValid'
  | 'BrokenChain'
  | 'EncryptedKey'
  | 'UnreadableKey'
  | 'KeyMismatch';

/** The message is a sentence for whoever made the pair; it never holds any of the key. */
export class CaPairError extends Error {
  readonly flaw: CaPairFlaw;

  constructor(flaw: CaPairFlaw, message: string) {
    super(message);
    this.name = 'CaPairError';
    this.flaw = flaw;
  }
}

export interface CaPairPems {
  /** The CA's certificate and its issuers, in any order. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Certificates of which one may be the root above those of `certificatePem`; the rest is ignored. */
  readonly anchorPem?: string | undefined;
}

/**
 * Reads a CA's certificate, chain and key, and proves that they belong together and can sign at `now`; without `now`,
 * dates are left to whoever signs. Throws a CaPairError.
 */
export function readCaPair({ certificatePem, keyPem, anchorPem }: CaPairPems, now: Date | undefined): CaPair {
  const key = readKey(keyPem);
  const given = readCertificates(certificatePem, 'the CA certificate');
  const anchors = anchorPem?.trim() ? readCertificates(anchorPem, 'the anchor') : [];
  if (given.length === 0) throw new CaPairError('NoCertificate', 'there is no CA certificate');
  const certificate = given.find((each) => keyMatches(each.publicKeyDer, key));
  if (certificate === undefined || !provesKey(certificate, key)) {
    throw new CaPairError('KeyMismatch', 'the key does not match the CA certificate');
  }
  refuseUnfitCa(certificate, now);
  const chain = withAnchors(orderedChain(certificate, given), anchors);
  const problem = issuersProblem(chain, now ?? firstEnd(chain));
  if (problem !== undefined)
    throw new CaPairError('BrokenChain', `the chain of the CA certificate is broken: ${problem}`);
  return { certificate, chain, anchor: chain.at(-1) ?? certificate, key, keyPem };
}

/**
 * Whether what one has signed is as good as if the other had: the same key and name, below a root of the same key and
 * name. So it is with a CA that was renewed and kept its key.
 */
export function isSameCa(one: CaPair, other: CaPair): boolean {
  return signsAlike(one.certificate, other.certificate) && signsAlike(one.anchor, other.anchor);
}

function signsAlike(one: CertificateView, other: CertificateView): boolean {
  return (
    one.publicKeyDer.equals(other.publicKeyDer) &&
    one.subjectDer.equals(other.subjectDer) &&
    one.subjectKeyId === other.subjectKeyId
  );
}

function firstEnd(chain: readonly CertificateView[]): Date {
  return new Date(Math.min(...chain.map((each) => each.notAfter.getTime())));
}

function readKey(pem: string): PrivateKey {
  refuseLarge(pem, 'the CA key');
  try {
    return parsePrivateKey(pem);
  } catch (error) {
    const flaw = error instanceof EncryptedPemError ? 'EncryptedKey' : 'UnreadableKey';
    throw new CaPairError(flaw, `the CA key can't be used: ${messageOf(error)}`);
  }
}

function readCertificates(pem: string, what: string): CertificateView[] {
  refuseLarge(pem, what);
  let blocks: PemBlock[];
  try {
    blocks = parsePem(pem, { strict: true });
  } catch (error) {
    throw new CaPairError('NotPem', `${what} can't be read: ${messageOf(error)}`);
  }
  const stranger = blocks.find(({ label }) => label !== CERTIFICATE_LABEL);
  if (stranger !== undefined)
    throw new CaPairError('NoCertificate', `${what} holds a ${stranger.label}, which is no certificate`);
  try {
    return blocks.map(parseCertificate);
  } catch (error) {
    throw new CaPairError('UnreadableCertificate', `${what} can't be read: ${messageOf(error)}`);
  }
}

function refuseLarge(pem: string, what: string): void {
  if (pem.length > MAX_PEM_BYTES || Buffer.byteLength(pem) > MAX_PEM_BYTES) {
    throw new CaPairError('TooLarge', `${what} is over ${MAX_PEM_BYTES} bytes`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// A key file holds its public half too, and nothing but a signature proves that the halves belong together.
function provesKey(certificate: CertificateView, key: PrivateKey): boolean {
  const probe = Buffer.from('certwheel');
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    const publicKey = createPublicKey({ key: certificate.publicKeyDer, format: 'der', type: 'spki' });
    return verify(hash, probe, publicKey, sign(hash, probe, key));
  } catch {
    return false;
  }
}

function refuseUnfitCa(certificate: CertificateView, now: Date | undefined): void {
  const name = certificate.subjectText;
  if (!certificate.isCA) throw new CaPairError('NotACa', `${name} is not a CA: its basic constraints don't say so`);
  if (certificate.certSign !== true)
    throw new CaPairError('NotACa', `${name} is not a CA: its key usage lacks "cert sign"`);
  if (certificate.subjectText === '') throw new CaPairError('NotACa', 'the CA certificate has no subject');
  if (now === undefined) return;
  if (now > certificate.notAfter)
    throw new CaPairError('Expired', `${name} has expired at ${certificate.notAfter.toISOString()}`);
  if (now < certificate.notBefore) {
    throw new CaPairError('NotYetValid', `${name} is not valid before ${certificate.notBefore.toISOString()}`);
  }
}

function orderedChain(certificate: CertificateView, given: readonly CertificateView[]): readonly CertificateView[] {
  const { chain, unused } = orderChain([certificate, ...given]);
  const [stranger] = unused;
  if (stranger !== undefined) {
    throw new CaPairError(
      'BrokenChain',
      `the chain of the CA certificate is broken: ${stranger.subjectText} signs none of it`,
    );
  }
  return chain;
}

function withAnchors(
  chain: readonly CertificateView[],
  anchors: readonly CertificateView[],
): readonly CertificateView[] {
  const top = chain.at(-1);
  if (top === undefined || top.selfSigned) return chain;
  const root = anchors.find((each) => each.fingerprintSHA256 !== top.fingerprintSHA256 && isIssuedBy(top, each));
  return root === undefined ? chain : [...chain, root];
}
