import { createPublicKey, hash, verify } from 'node:crypto';
import { AuthorityError } from '../../errors.ts';
import { integer, sequence } from '../../pki/asn1/write.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { type KeySpec, keySpecOfPublicKey } from '../../pki/keys.ts';
import type { Signer } from '../../pki/signer.ts';
import type { SigningInput } from './messages.ts';

/** Has the token sign: `raw` as PKCS#11 has it, see SigningInput. */
type SignRaw = (input: SigningInput) => Promise<Buffer>;

// The hash is as strong as the curve, as for keys in a Secret (src/pki/signature.ts).
const HASHES = { 256: 'sha256', 384: 'sha384', 521: 'sha512' } as const;

/**
 * The signer of a CA whose key is in a token. Each signature is verified with the key of the certificate before it is used:
 * the URI may name another key by now, and a token that gives a wrong signature is noticed here. Throws an AuthorityError if
 * the certificate's key is of a kind that is not supported.
 */
export function tokenSigner(certificate: CertificateView, signRaw: SignRaw, keyName: string): Signer {
  const { publicKeyDer } = certificate;
  const keySpec = keySpecOfPublicKey(publicKeyDer);
  if (keySpec === undefined || keySpec.algorithm === 'Ed25519')
    throw new AuthorityError(
      'CAPairRefused',
      `${certificate.subjectText} has a key that is neither ECDSA nor RSA, which alone are supported in a token`,
    );
  const publicKey = createPublicKey({ key: publicKeyDer, format: 'der', type: 'spki' });
  return {
    publicKey: publicKeyDer,
    keySpec,
    // It waits for another machine, without a worker.
    isSlow: false,
    sign: async (tbs) => {
      const { algorithm, input, encode } = planFor(keySpec, tbs);
      const signature = encode(await signRaw(input));
      if (!verify(algorithm, tbs, publicKey, signature))
        throw new AuthorityError(
          'CAPairRefused',
          `the key ${keyName} of the token is not that of the CA certificate ${certificate.subjectText}; correct spec.pkcs11.uri or the certificate`,
        );
      return signature;
    },
  };
}

interface SigningPlan {
  readonly algorithm: string;
  readonly input: SigningInput;
  /** From the token's form into that of X.509. */
  encode(raw: Buffer): Buffer;
}

function planFor(keySpec: Exclude<KeySpec, { algorithm: 'Ed25519' }>, tbs: Uint8Array): SigningPlan {
  if (keySpec.algorithm === 'RSA') {
    const data = Buffer.concat([DIGEST_INFO_SHA256, hash('sha256', tbs, 'buffer')]);
    return { algorithm: 'sha256', input: { mechanism: 'rsa', data }, encode: (raw) => raw };
  }
  const algorithm = HASHES[keySpec.size];
  return { algorithm, input: { mechanism: 'ecdsa', data: hash(algorithm, tbs, 'buffer') }, encode: ecdsaDer };
}

// RFC 8017 section 9.2, note 1.
export const DIGEST_INFO_SHA256 = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** r and s side by side, as PKCS#11 has them (v2.40, section 2.3.1), as DER (RFC 3279 section 2.2.3). */
export function ecdsaDer(raw: Buffer): Buffer {
  if (raw.length === 0 || raw.length % 2 !== 0)
    throw new AuthorityError('InvalidAnswer', `the token gave an ECDSA signature of ${raw.length} bytes`);
  const half = raw.length / 2;
  return sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}
