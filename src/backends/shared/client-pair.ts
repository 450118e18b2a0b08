import { createHash } from 'node:crypto';
import { AuthorityError } from '../../errors.ts';
import { type CertificateView, parseCertificate } from '../../pki/certificate.ts';
import { keyMatches } from '../../pki/key-match.ts';
import { keySpecOf, type PrivateKey } from '../../pki/keys.ts';
import { MaterialError, readCertificateBlocks, readKey } from '../../pki/material.ts';
import { messageOf } from '../../thrown.ts';
import { type BackendDeps, dataAt, type ReferencedData } from '../backend-deps.ts';

/** A client certificate that Certwheel itself shows to an authority. */
export interface ClientPair {
  readonly leaf: CertificateView;
  /** Leaf first, then intermediates. */
  readonly chain: readonly CertificateView[];
  readonly key: PrivateKey;
  /** PEM of the key alone. */
  readonly keyPem: string;
  /** The same for the same bytes, and nothing that could be used. */
  readonly id: string;
}

const MOST_CERTIFICATES = 10;
/** A larger one would delay all other work with each signature. */
const MOST_RSA_BITS = 4_096;

type PairDeps = Pick<BackendDeps, 'secret' | 'objects' | 'clock'>;

/**
 * The client certificate and its key in a Secret of the authority's namespace, as kubernetes.io/tls has them. It may be
 * that of a ClientCertificate, so it is read at each use; while the bytes are the same, that costs a comparison.
 */
export class ClientPairSource {
  /** `Secret shop/login`, for messages. */
  readonly place: string;
  readonly #name: string;
  readonly #deps: PairDeps;
  #last: { readonly certificates: Buffer; readonly keyBytes: Buffer; readonly pair: ClientPair } | undefined;

  constructor(name: string, deps: PairDeps) {
    this.place = `Secret ${deps.objects.namespace}/${name}`;
    this.#name = name;
    this.#deps = deps;
  }

  /** A pair that is valid now. Throws an AuthorityError that names the Secret and the key. */
  async read(): Promise<ClientPair> {
    const content = await this.#deps.secret(this.#name);
    if (content === undefined) throw this.#missing();
    const [certificates, keyBytes] = [this.#bytesAt(content, 'tls.crt'), this.#bytesAt(content, 'tls.key')];
    const last = this.#last;
    const isSame = last?.certificates.equals(certificates) === true && last.keyBytes.equals(keyBytes);
    const pair = isSame ? last.pair : readPair(certificates, keyBytes, this.place);
    this.#last = { certificates, keyBytes, pair };
    this.#refuseAt(this.#deps.clock.now(), pair.leaf);
    return pair;
  }

  #missing(): AuthorityError {
    const { namespace } = this.#deps.objects;
    return new AuthorityError(
      'CredentialsNotFound',
      `there is no Secret ${this.#name} in namespace ${namespace}; make it with: kubectl create secret tls ${this.#name} -n ${namespace} --cert=tls.crt --key=tls.key`,
    );
  }

  #bytesAt(content: ReferencedData, key: string): Buffer {
    const bytes = dataAt(content, key);
    if (bytes === undefined) throw new AuthorityError('CredentialsNotFound', `${this.place} has no key ${key}`);
    return bytes;
  }

  #refuseAt(now: Date, { notBefore, notAfter }: CertificateView): void {
    if (notAfter < now)
      throw new AuthorityError(
        'CredentialsRefused',
        `${this.place}, key tls.crt: this certificate expired at ${notAfter.toISOString()}; put a renewed one into the Secret`,
      );
    if (notBefore > now)
      throw new AuthorityError(
        'CredentialsRefused',
        `${this.place}, key tls.crt: this certificate is valid from ${notBefore.toISOString()} on; compare the clocks`,
      );
  }
}

function readPair(certificates: Buffer, keyBytes: Buffer, place: string): ClientPair {
  try {
    const at = `${place}, key tls.crt`;
    const blocks = readCertificateBlocks(certificates, at, { most: MOST_CERTIFICATES });
    const chain = blocks.map(({ der, number }) => parsed(der, `${at}, block ${number}`));
    const { key, pem: keyPem } = readKey(keyBytes, `${place}, key tls.key`);
    const [leaf] = chain;
    if (leaf === undefined || !keyMatches(leaf.publicKeyDer, key))
      throw new AuthorityError(
        'CredentialsRefused',
        `${place}, key tls.key: this is not the key of the first certificate in tls.crt; put a certificate and its own key into the Secret`,
      );
    // The key of a CA signs certificates and nothing that a server has a say in.
    if (leaf.isCA)
      throw new AuthorityError(
        'CredentialsRefused',
        `${place}, key tls.crt: this is a CA certificate; put a client certificate and its key into the Secret`,
      );
    const spec = keySpecOf(key);
    if (spec.algorithm === 'RSA' && spec.size > MOST_RSA_BITS)
      throw new AuthorityError(
        'CredentialsRefused',
        `${place}, key tls.key: this is an RSA key of more than ${MOST_RSA_BITS} bits; put a smaller one into the Secret`,
      );
    return { leaf, chain, key, keyPem, id: idOf(certificates, keyBytes) };
  } catch (error) {
    if (error instanceof MaterialError) throw new AuthorityError('CredentialsRefused', error.message, { cause: error });
    throw error;
  }
}

function parsed(der: Buffer, place: string): CertificateView {
  try {
    return parseCertificate(der);
  } catch (error) {
    throw new AuthorityError('CredentialsRefused', `${place}: this certificate can't be read: ${messageOf(error)}`);
  }
}

function idOf(certificates: Buffer, key: Buffer): string {
  return createHash('sha256').update(`${certificates.length}:`).update(certificates).update(key).digest('base64');
}
