import type { CertificateAuthority } from '../api/certificate-authority.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { MOST_LEDGER_BYTES, missingFrom, nextLedger } from '../certificate/secret/ledger.ts';
import { isTextsSecret, type Purpose, readTexts, textsManifest, textsSecretName } from './texts-secret.ts';

/** The ledgers of an authority, one for each namespace: no namespace takes the room of another. */
export type LedgersByNamespace = ReadonlyMap<string, string>;

/** All ledgers of an authority, in bytes: half of what the API server takes for one object (1 MiB, with base64). */
export const MOST_LEDGERS_BYTES = 524_288;

const MARK_BYTES = 32;

/** `former` with the certificates of `added`, without those that have expired. What there is no room for is dropped. */
export function mergeLedgers(former: LedgersByNamespace, added: LedgersByNamespace, now: Date): LedgersByNamespace {
  const merged = new Map<string, string>();
  // What is there keeps its room, so that certificates of further namespaces displace nothing.
  let bytes = [...former.values()].reduce((sum, text) => sum + sizeOf(text), 0);
  for (const namespace of new Set([...former.keys(), ...added.keys()])) {
    const before = former.get(namespace) ?? '';
    const room = Math.min(MOST_LEDGER_BYTES, MOST_LEDGERS_BYTES - bytes + sizeOf(before));
    const text = nextLedger(before, missingFrom(before, added.get(namespace) ?? '', now), now, room);
    if (text === '' || text.length > room) continue;
    merged.set(namespace, text);
    bytes += sizeOf(text) - sizeOf(before);
  }
  return merged;
}

/** With the room that is kept for a mark of certificates that were dropped. */
function sizeOf({ length }: string): number {
  return length === 0 ? 0 : length + MARK_BYTES;
}

const LEDGER: Purpose = { suffix: 'ledger', label: names.LEDGER_OF_LABEL };
type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;

/** Where the ledgers of an authority are: `<authority>-ca-ledger`, `<authority>-clusterca-ledger` for the cluster kind. */
export function ledgerSecretName(authority: Owner): string {
  return textsSecretName(authority, LEDGER);
}

/** Whether a Secret of that name is the one that keeps the ledgers of this authority. */
export function isLedgerSecret(object: RawObject, authority: Owner): boolean {
  return isTextsSecret(object, authority, LEDGER);
}

export function readLedgerSecret(object: RawObject): LedgersByNamespace {
  return readTexts(object);
}

/** The Secret as it is applied, on the condition that it still is `current`, or that there is none. */
export function ledgerManifest(
  authority: Owner,
  namespace: string,
  ledgers: LedgersByNamespace,
  current: RawObject | undefined,
) {
  return textsManifest(authority, LEDGER, namespace, ledgers, current);
}
