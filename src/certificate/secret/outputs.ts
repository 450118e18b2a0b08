import { hash } from 'node:crypto';
import type { CertificateSpec } from '../../api/client-certificate.ts';
import { encodePrivateKey, type KeyEncoding, keyEncodingOf, keySpecOf, parsePrivateKey } from '../../pki/keys.ts';

/** What a Secret is made of, in PEM. */
export interface SecretData {
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly trustBundle: string;
}

/** The data of the Secret, in base64. */
export function render({ certificateChain, privateKey, trustBundle }: SecretData) {
  return { 'tls.crt': base64(certificateChain), 'tls.key': base64(privateKey), 'ca.crt': base64(trustBundle) };
}

/** The fields of a spec that decide what is rendered from a chain, a key and a trust bundle. */
type OutputSpec = Pick<CertificateSpec, 'key' | 'keyEncoding'>;

/**
 * Stands for all that decides about the outputs beside chain, key and trust bundle. The Secret remembers the digest, so
 * that a change of the spec shows without a look at bytes that may differ each time. Empty where nothing but the defaults
 * is asked for.
 */
export function outputsDigest({ key, keyEncoding }: OutputSpec): string {
  // There is one encoding of an Ed25519 key.
  const inputs = keyEncoding === 'PKCS8' || key.algorithm === 'Ed25519' ? [] : [['keyEncoding', keyEncoding]];
  return inputs.length === 0 ? '' : hash('sha256', JSON.stringify(inputs), 'base64url').slice(0, DIGEST_LENGTH);
}

const DIGEST_LENGTH = 16;

/** The same key in another encoding, where it has one; byte for byte as it was, where that is the encoding already. */
export function reencoded(pem: string, encoding: KeyEncoding): string {
  if (keyEncodingOf(pem) === encoding) return pem;
  const key = parsePrivateKey(pem);
  return keySpecOf(key).algorithm === 'Ed25519' ? pem : encodePrivateKey(key, encoding);
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
