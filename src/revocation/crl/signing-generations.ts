import type { Runtime } from '../../authority/runtime.ts';
import type { Signer } from '../../pki/signer.ts';
import { type Generation, isInBundle } from '../../rotation/generation.ts';

/** A CA generation that Certwheel can sign with. */
export interface SigningGeneration {
  readonly generation: Generation;
  readonly signer: Signer;
}

type Keyed = Pick<Runtime, 'generations' | 'backend'>;

/** Those that verifiers trust, whether or not it is their turn to issue. */
export function signingGenerations({ generations, backend }: Keyed): SigningGeneration[] {
  return generations.filter(isInBundle).flatMap((generation) => {
    const signer = generation.signer ?? elsewhere(generation, backend);
    return signer === undefined ? [] : [{ generation, signer }];
  });
}

/** The signer of a key that another machine holds. */
function elsewhere({ issuerRef, path }: Generation, { signWith }: Keyed['backend']): Signer | undefined {
  const { keySpec, publicKeyDer: publicKey } = path.certificate;
  if (signWith === undefined || issuerRef === undefined || keySpec === undefined) return undefined;
  const { signal } = new AbortController();
  return { publicKey, keySpec, isSlow: false, sign: (tbs) => signWith(issuerRef, path.certificate, tbs, signal) };
}
