import { createPublicKey, type KeyObject } from 'node:crypto';
import { children, readElement } from './asn1/read.ts';
import { explicit, integer, octetString, sequence, TAG } from './asn1/write.ts';
import { type PrivateKey, parsePrivateKey, publicKeyDer } from './keys.ts';
import { parsePem } from './pem.ts';

/** Whether `pem` holds the private key to a SubjectPublicKeyInfo (DER). Throws where `parsePrivateKey` does. */
export function pemMatches(spki: Buffer, pem: string): boolean {
  const [block, ...more] = parsePem(pem);
  const isPlain = block?.label === 'PRIVATE KEY' && more.length === 0 && isEcKeyOf(spki, block.der);
  return isPlain || keyMatches(spki, parsePrivateKey(pem));
}

/**
 * True for an EC key in PKCS#8 exactly as it is usually written (RFC 5958, RFC 5915: version, curve, private number,
 * public point) whose point is that of `spki`. OpenSSL takes that point at its word too, but needs twenty times as long.
 */
function isEcKeyOf(spki: Buffer, pkcs8: Buffer): boolean {
  const [algorithm, point] = children(readElement(spki, TAG.sequence, 'public key'));
  if (algorithm === undefined || point === undefined || algorithm.content[0] !== TAG.oid) return false;
  const publicKey = explicit(1, point.bytes);
  // One byte that counts unused bits, one that says "uncompressed", and two coordinates as long as the private number.
  const size = (point.content.length - 2) / 2;
  const at = pkcs8.length - publicKey.length - size;
  if (!Number.isInteger(size) || at < 0) return false;
  const number = pkcs8.subarray(at, at + size);
  const ecPrivateKey = sequence(integer(1), octetString(number), publicKey);
  return pkcs8.equals(sequence(integer(0), algorithm.bytes, octetString(ecPrivateKey)));
}

/** Whether a certificate's SubjectPublicKeyInfo is that of the private key. Never throws. */
export function keyMatches(spki: Buffer, privateKey: PrivateKey): boolean {
  if (publicKeyDer(privateKey).equals(spki)) return true;
  // The same key has several encodings: a compressed point, RSA without NULL.
  try {
    return (
      numbersOf(createPublicKey({ key: spki, format: 'der', type: 'spki' })) === numbersOf(createPublicKey(privateKey))
    );
  } catch {
    return false;
  }
}

/**
 * What makes a public key that key, in any encoding. Not KeyObject.equals: of two kinds of key it leaves an error in
 * OpenSSL's queue, and the next key that is read, however good, is then refused for it.
 */
function numbersOf(key: KeyObject): string {
  return JSON.stringify(key.export({ format: 'jwk' }));
}
