import { LEDGER_OF_LABEL } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { MOST_LEDGER_BYTES, missingFrom, nextLedger } from '../certificate/secret/ledger.ts';
import type { Seal } from '../certificate/secret/seal.ts';
import { readTexts, textsSecret } from './texts-secret.ts';

/** The ledgers of an authority, one for each namespace: no namespace takes the room of another. */
export type LedgersByNamespace = ReadonlyMap<string, string>;

/** All ledgers of an authority, in bytes: half of what the API server takes for one object (1 MiB, with base64). */
export const MOST_LEDGERS_BYTES = 524_288;

const MARK_BYTES = 32;

/** `former` with the certificates of `added`, without those that have expired. What there is no room for is dropped. */
export function mergeLedgers(
  former: LedgersByNamespace,
  added: LedgersByNamespace,
  now: Date,
  seal?: Seal,
): LedgersByNamespace {
  const merged = new Map<string, string>();
  // What is there keeps its room, so that certificates of further namespaces displace nothing.
  let bytes = [...former.values()].reduce((sum, text) => sum + sizeOf(text), 0);
  for (const namespace of new Set([...former.keys(), ...added.keys()])) {
    const before = former.get(namespace) ?? '';
    const room = Math.min(MOST_LEDGER_BYTES, MOST_LEDGERS_BYTES - bytes + sizeOf(before));
    const sealing = seal && { seal, namespace };
    const missing = missingFrom(before, added.get(namespace) ?? '', now, sealing);
    const text = nextLedger(before, missing, now, sealing, room);
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

/** Where the ledgers of an authority are. */
export const LEDGER_SECRET = textsSecret({ suffix: 'ledger', label: LEDGER_OF_LABEL });

export function readLedgerSecret(object: RawObject): LedgersByNamespace {
  return readTexts(object);
}
