/** CA files as they stand in a Secret, and what `readCaPair` makes of them. */
import * as assert from 'uvu/assert';
import type { CaPair } from '../../src/pki/ca.ts';
import { CaError, type CaFlaw } from '../../src/pki/ca-error.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { readCaPair } from '../../src/pki/read-ca.ts';
import { type Holder, NOW, root, signIntermediate } from './make.ts';

export const ca = await root();
export const upper = await signIntermediate(ca, { commonName: 'Upper' });
export const lower = await signIntermediate(upper, { commonName: 'Lower' });
export const stranger = await root({ commonName: 'Stranger' });
export const pem = (...holders: Holder[]) => holders.map(({ certificate }) => certificate.pem).join('');
export const keyPem = ({ key }: Holder) => encodePrivateKey(key, 'PKCS8');

interface Given {
  crt?: string;
  key?: string;
  roots?: string;
  partialChain?: boolean;
}

export function read(
  signer: Holder,
  { crt = pem(signer), key = keyPem(signer), roots, partialChain }: Given = {},
): Promise<CaPair> {
  return readCaPair(
    {
      place: 'Secret ns/pair',
      certificates: Buffer.from(crt),
      key: Buffer.from(key),
      roots: roots === undefined ? undefined : Buffer.from(roots),
      partialChain,
    },
    NOW,
  );
}

export async function refuses(flaw: CaFlaw, message: string, ...given: Parameters<typeof read>): Promise<void> {
  try {
    await read(...given);
  } catch (error) {
    assert.instance(error, CaError);
    assert.is((error as CaError).flaw, flaw, (error as CaError).message);
    assert.ok((error as CaError).message.includes(message), (error as CaError).message);
    assert.match((error as CaError).message, /^Secret ns\/pair, key (tls\.crt|tls\.key|ca\.crt)/);
    return;
  }
  assert.unreachable(`accepted where ${message} is wrong`);
}
