import { createPublicKey, sign, verify } from 'node:crypto';
import type { CertificateView } from './certificate.ts';
import { keyMatches } from './key-match.ts';
import { type PrivateKey, parsePrivateKey } from './keys.ts';
import { type Signer, signerOf } from './signer.ts';

/** Signs for a CA, and says how its key is found again after a restart. */
export interface CaSigner extends Signer {
  readonly reference: KeyReference;
}

/** What the Secret of a CA generation keeps of its key: all of it, in PEM. */
export interface KeyReference {
  readonly pem: string;
}

/** The signer of a CA whose key is read from, or is to be kept as, `pem`. */
export function caSigner(key: PrivateKey, pem: string): CaSigner {
  return { ...signerOf(key), reference: { pem } };
}

/** The signer of a CA that was accepted before and stored. Throws an Error that names what is wrong. */
export function restoreCaSigner(certificate: CertificateView, keyPem: string): CaSigner {
  const key = parsePrivateKey(keyPem);
  if (!keyMatches(certificate.publicKeyDer, key) || !provesKey(certificate, key))
    throw new Error('the key does not match the CA certificate');
  return caSigner(key, keyPem);
}

// A key file holds its public half too, and nothing but a signature proves that the halves belong together. A key in PEM is
// at hand, so this needs no signer.
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
