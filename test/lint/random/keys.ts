import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { explicit, integer, NULL, oid, sequence } from '../../../src/pki/asn1/write.ts';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import type { Dice } from '../../pki/random-pki/dice.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;

const P256 = ec('P-256');
const P384 = ec('P-384');
const P521 = ec('P-521');
const ED25519 = generateKeyPairSync('ed25519').privateKey;
const RSA = rsa(2048);

/** Made once, since most take long. */
const COSTLY = [P384, P521, RSA, rsa(2048, 3), rsa(2050), rsa(3072), rsa(4096)];

/** The SubjectPublicKeyInfo (DER) of a key of any kind; that of a cheap kind is new. */
export function randomPublicKey(dice: Dice): Buffer {
  switch (dice.below(3)) {
    case 0:
      return publicKeyDer(generateKeyPairSync('ed25519').publicKey);
    case 1:
      return publicKeyDer(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    default:
      return publicKeyDer(dice.pick(COSTLY));
  }
}

/** How a certificate is signed. */
export interface RandomSigner {
  readonly algorithm: Buffer;
  sign(tbs: Buffer): Buffer;
}

function signer(algorithm: Buffer, hash: string | null, key: KeyObject, options: object = {}): RandomSigner {
  return { algorithm, sign: (tbs) => sign(hash, tbs, { key, ...options }) };
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'), NULL);
const PSS_ALGORITHM = sequence(
  oid('1.2.840.113549.1.1.10'),
  sequence(explicit(0, SHA256), explicit(1, sequence(oid('1.2.840.113549.1.1.8'), SHA256)), explicit(2, integer(32))),
);
const ecdsa = (last: number) => sequence(oid(`1.2.840.10045.4.3.${last}`));
const withRsa = (last: number) => sequence(oid(`1.2.840.113549.1.1.${last}`), NULL);

/** Every algorithm that is in use, also with a hash that differs from the curve's size. */
export const SIGNERS: readonly RandomSigner[] = [
  signer(sequence(oid('1.3.101.112')), null, ED25519),
  signer(ecdsa(2), 'sha256', P256),
  signer(ecdsa(3), 'sha384', P256),
  signer(ecdsa(3), 'sha384', P384),
  signer(ecdsa(4), 'sha512', P521),
  signer(withRsa(11), 'sha256', RSA),
  signer(withRsa(12), 'sha384', RSA),
  signer(withRsa(13), 'sha512', RSA),
  signer(PSS_ALGORITHM, 'sha256', RSA, PSS),
];
