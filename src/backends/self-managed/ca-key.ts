import { generateKey, type KeySpec, type PrivateKey } from '../../pki/keys.ts';
import type { Aside } from '../../pki/signer.ts';

/** The life of a CA unless its spec says otherwise. */
export const TEN_YEARS_MS = 87_600 * 3_600_000;

export function makeKey(spec: KeySpec, aside: Aside): Promise<PrivateKey> {
  return spec.algorithm === 'RSA' ? aside(() => generateKey(spec)) : generateKey(spec);
}
