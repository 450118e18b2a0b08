/** Revocation lists as Certwheel signs them, in the form in which servers read them. */
import { randomBytes } from 'node:crypto';
import { CRL_LABEL, revokedEntry, signCrl } from '../../../src/pki/crl.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { signerOf } from '../../../src/pki/signer.ts';
import { HOUR, type Holder } from '../../pki/make.ts';

const KEY_COMPROMISE = 1;
let signed = 0n;

export interface ListState {
  /** Serial numbers in hex that the list of the CA that signs leaves holds. */
  readonly revoked?: readonly string[];
  /** How many others it holds. */
  readonly others?: number;
  /** From now on; negative: how long ago the lists have ended. A day unless given. */
  readonly lifeMs?: number;
  /** Of each list; higher than all before unless given. */
  readonly number?: bigint;
}

/** One list of each CA in PEM, in the order of `holders`: from the CA that signs leaves up to the root. */
export async function listsOf(
  holders: readonly Holder[],
  { revoked = [], others = 0, lifeMs = 24 * HOUR, number }: ListState = {},
): Promise<readonly string[]> {
  const revokedAt = new Date();
  const serials = [...revoked, ...Array.from({ length: others }, otherSerial)];
  const entries = serials.map((serialNumber) => revokedEntry({ serialNumber, revokedAt, reasonCode: KEY_COMPROMISE }));
  const end = Date.now() + lifeMs;
  return Promise.all(
    holders.map(async ({ certificate, key }, at) => {
      const der = await signCrl({
        ca: { certificate, signer: signerOf(key) },
        number: number ?? ++signed,
        thisUpdate: new Date(Math.min(Date.now(), end) - HOUR),
        nextUpdate: new Date(end),
        entries: at === 0 ? entries : [],
      });
      return toPem(CRL_LABEL, der);
    }),
  );
}

/** As long as those of Certwheel: 19 bytes. */
function otherSerial(): string {
  const bytes = randomBytes(19);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
