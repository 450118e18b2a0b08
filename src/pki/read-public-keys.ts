import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseCertificate } from './certificate.ts';
import { keySpecOfPublicKey, MAX_READ_RSA_BITS } from './keys.ts';
import { type PemBlock, parsePem } from './pem.ts';

/**
 * The public keys of a PEM text from elsewhere, of RSA, ECDSA and Ed25519, at most `most`. Others are left out, and so is a private
 * key: of some kinds OpenSSL computes the public half, which takes minutes with numbers that were chosen for it. Empty for what is
 * no PEM.
 */
export function readPublicKeys(text: string, most: number): readonly KeyObject[] {
  return blocksIn(text)
    .slice(0, most)
    .flatMap((block) => {
      try {
        return publicKeyIn(block) ?? [];
      } catch {
        return [];
      }
    });
}

function blocksIn(text: string): readonly PemBlock[] {
  try {
    return parsePem(text, { strict: false });
  } catch {
    return [];
  }
}

function publicKeyIn({ label, der }: PemBlock): KeyObject | undefined {
  const spki = spkiIn(label, der);
  const spec = spki && keySpecOfPublicKey(spki);
  // The time to verify grows with the size.
  if (spki === undefined || spec === undefined || (spec.algorithm === 'RSA' && spec.size > MAX_READ_RSA_BITS))
    return undefined;
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

function spkiIn(label: string, der: Buffer): Buffer | undefined {
  switch (label) {
    case 'PUBLIC KEY':
      return der;
    case 'RSA PUBLIC KEY':
      return createPublicKey({ key: der, format: 'der', type: 'pkcs1' }).export({ type: 'spki', format: 'der' });
    case 'CERTIFICATE':
      return parseCertificate(der).publicKeyDer;
    default:
      return undefined;
  }
}
