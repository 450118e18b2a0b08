import { hash } from 'node:crypto';
import type { CaSigner } from './ca-signer.ts';
import { type CertificateView, parseCertificates } from './certificate.ts';
import { MAX_CHAIN, type Path } from './path-search.ts';
import { isIssuedBy } from './signed-by.ts';

/** The certificate of a CA, and the path from there to what verifiers trust. */
export interface CaPath {
  readonly certificate: CertificateView;
  /** `certificate` first, then its issuers; the root last. */
  readonly chain: readonly CertificateView[];
  /** The top of `chain`: what verifiers must trust. It is self-signed unless partial chains are allowed. */
  readonly anchor: CertificateView;
  /** The same for the same certificates in `chain`: another root above the same certificate makes another CA. */
  readonly id: string;
  /** What else its source held. */
  readonly rest: SourceRest;
}

/** A CA that can sign. */
export interface CaPair extends CaPath {
  readonly signer: CaSigner;
}

/** Certificates of a source that are not in the chain of its CA. */
export interface SourceRest {
  /** Each with the reason, as sentences. */
  readonly leftAside: readonly string[];
  /** When the next of them becomes valid, so that the choice may be another. */
  readonly reviewAt: Date | undefined;
}

const NOTHING_LEFT: SourceRest = { leftAside: [], reviewAt: undefined };

export function caPath(chain: Path, rest = NOTHING_LEFT): CaPath {
  const [certificate] = chain;
  const anchor = chain.at(-1);
  if (certificate === undefined || anchor === undefined) throw new Error('a CA without a certificate');
  return { certificate, chain, anchor, id: idOfChain(chain), rest };
}

export function idOfChain(chain: Path): string {
  return hash('sha256', chain.map(({ fingerprintSHA256 }) => fingerprintSHA256).join(' '), 'hex');
}

/**
 * Whether what one has signed is as good as if the other had: the same key and name, below a root of the same key and
 * name. A CA that was renewed under its old key is such a CA.
 */
export function isSameCa(one: CaPath, other: CaPath): boolean {
  return signsAlike(one.certificate, other.certificate) && signsAlike(one.anchor, other.anchor);
}

const keyIds = new WeakMap<CertificateView, string>();

/** Equal for the certificates of one CA: the same key, name and subject key identifier. */
export function caKeyId(certificate: CertificateView): string {
  const known = keyIds.get(certificate);
  if (known !== undefined) return known;
  const { publicKeyDer, subjectDer, subjectKeyId } = certificate;
  const id = hash('sha256', Buffer.concat([publicKeyDer, subjectDer, Buffer.from(String(subjectKeyId))]), 'base64');
  keyIds.set(certificate, id);
  return id;
}

/** Whether both are certificates of one CA key and name: verifiers take either for the issuer of what the key signed. */
export function signsAlike(one: CertificateView, other: CertificateView): boolean {
  return caKeyId(one) === caKeyId(other);
}

/**
 * Reads the path of a CA that was accepted before and stored, as `chain`: certificates in their order, dates not looked
 * at. Throws an Error that names what is wrong.
 */
export function restoreCaPath(chainPem: string): CaPath {
  const chain = parseCertificates(chainPem, { most: MAX_CHAIN });
  if (chain.length === 0) throw new Error('tls.crt holds no certificate');
  const broken = chain.find((each, at) => at > 0 && !isIssuedBy(chain[at - 1] ?? each, each));
  if (broken !== undefined)
    throw new Error(`the chain is broken: ${broken.subjectText} did not sign what stands below it`);
  const unfit = chain.find(({ isCA }) => !isCA);
  if (unfit !== undefined) throw new Error(`${unfit.subjectText} is not a CA`);
  return caPath(chain);
}
