import { makeRoot, newSerialNumber } from '../../pki/issue.ts';
import { encodePrivateKey, generateKey } from '../../pki/keys.ts';
import { toPem } from '../../pki/pem.ts';
import { signerOf } from '../../pki/signer.ts';
import type { SecretData } from './render.ts';

const SERIAL = newSerialNumber(Buffer.alloc(16));
const LIFE_MS = 3_600_000;

/**
 * A certificate and its key for a dry run alone, where the Secret has lost its own: what admission empties or replaces shows
 * only by bytes that differ. The two match, since admission may verify that.
 */
export async function dryRunPair(now: Date): Promise<Pick<SecretData, 'certificateChain' | 'privateKey'>> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const notAfter = new Date(now.getTime() + LIFE_MS);
  const subject = { commonName: 'dry run' };
  const der = await makeRoot({ subject, signer: signerOf(key), notBefore: now, notAfter, serialNumber: SERIAL });
  return { certificateChain: toPem('CERTIFICATE', der), privateKey: encodePrivateKey(key, 'PKCS8') };
}
