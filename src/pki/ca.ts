import { createPublicKey, hash, sign, verify } from 'node:crypto';
import { type CertificateView, parseCertificates } from './certificate.ts';
import { keyMatches } from './key-match.ts';
import { type PrivateKey, parsePrivateKey } from './keys.ts';
import { MAX_CHAIN, type Path } from './path-search.ts';
import { isIssuedBy } from './signed-by.ts';
import { type Signer, signerOf } from './signer.ts';

/** A CA that can sign: its signer, its certificate, and the path from there to what verifiers trust. */
export interface CaPair {
  readonly certificate: CertificateView;
  /** `certificate` first, then its issuers; the root last. */
  readonly chain: readonly CertificateView[];
  /** The top of `chain`: what verifiers must trust. It is self-signed unless partial chains are allowed. */
  readonly anchor: CertificateView;
  readonly signer: Signer;
  readonly keyPem: string;
  /** The same for the same certificates in `chain`: another root above the same certificate makes another CA. */
  readonly id: string;
  /** What else its source held. */
  readonly rest: SourceRest;
}

/** Certificates of a source that are not in the chain of its CA. */
export interface SourceRest {
  /** Each with the reason, as sentences. */
  readonly leftAside: readonly string[];
  /** When the next of them becomes valid, so that the choice may be another. */
  readonly reviewAt: Date | undefined;
}

const NOTHING_LEFT: SourceRest = { leftAside: [], reviewAt: undefined };

export function caPair(chain: Path, signer: Signer, keyPem: string, rest = NOTHING_LEFT): CaPair {
  const [certificate] = chain;
  const anchor = chain.at(-1);
  if (certificate === undefined || anchor === undefined) throw new Error('a CA without a certificate');
  return { certificate, chain, anchor, signer, keyPem, id: idOfChain(chain), rest };
}

export function idOfChain(chain: Path): string {
  return hash('sha256', chain.map(({ fingerprintSHA256 }) => fingerprintSHA256).join(' '), 'hex');
}

/**
 * Whether what one has signed is as good as if the other had: the same key and name, below a root of the same key and
 * name. A CA that was renewed under its old key is such a CA.
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

/**
 * Reads a pair that was accepted before and stored, as `chain` and `keyPem`: certificates in their order, dates not
 * looked at. Throws an Error that names what is wrong.
 */
export function restoreCaPair(chainPem: string, keyPem: string): CaPair {
  const chain = parseCertificates(chainPem, { most: MAX_CHAIN });
  const [certificate] = chain;
  if (certificate === undefined) throw new Error('tls.crt holds no certificate');
  const broken = chain.find((each, at) => at > 0 && !isIssuedBy(chain[at - 1] ?? each, each));
  if (broken !== undefined)
    throw new Error(`the chain is broken: ${broken.subjectText} did not sign what stands below it`);
  const unfit = chain.find(({ isCA }) => !isCA);
  if (unfit !== undefined) throw new Error(`${unfit.subjectText} is not a CA`);
  const key = parsePrivateKey(keyPem);
  if (!keyMatches(certificate.publicKeyDer, key) || !provesKey(certificate, key))
    throw new Error('the key does not match the CA certificate');
  return caPair(chain, signerOf(key), keyPem);
}

// A key file holds its public half too, and nothing but a signature proves that the halves belong together.
function provesKey(certificate: CertificateView, key: PrivateKey): boolean {
  const probe = Buffer.from('certwheel');
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    const publicKey = createPublicKey({ key: certificate.publicKeyDer, format: 'der', type: 'spki' });
    return verify(digest, probe, publicKey, sign(digest, probe, key));
  } catch {
    return false;
  }
}
