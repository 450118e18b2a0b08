import { encodePrivateKey, type KeyEncoding, keyEncodingOf, keySpecOf, parsePrivateKey } from './keys.ts';

/** The same key in another encoding, where it has one; byte for byte as it was, where that is the encoding already. */
export function reencoded(pem: string, encoding: KeyEncoding): string {
  if (keyEncodingOf(pem) === encoding) return pem;
  const key = parsePrivateKey(pem);
  return keySpecOf(key).algorithm === 'Ed25519' ? pem : encodePrivateKey(key, encoding);
}
