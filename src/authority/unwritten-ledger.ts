import { type LedgerEntry, nextLedger } from '../certificate/secret/ledger.ts';
import type { Sealing } from '../certificate/secret/seal.ts';

/** So many are put into the text together: each time all of it is read and sealed anew, and a namespace that ends adds thousands. */
const AT_ONCE = 500;

/** What the ledger of one namespace is to get, and is not written yet. */
export class UnwrittenLedger {
  readonly #sealing: Sealing | undefined;
  #text = '';
  /** Newest first. */
  #pending: LedgerEntry[] = [];

  constructor(sealing: Sealing | undefined) {
    this.#sealing = sealing;
  }

  add(entries: readonly LedgerEntry[], now: Date): void {
    this.#pending = [...entries, ...this.#pending];
    if (this.#pending.length >= AT_ONCE) this.textAt(now);
  }

  /** All of it; see nextLedger. */
  textAt(now: Date): string {
    if (this.#pending.length > 0) this.#text = nextLedger(this.#text, this.#pending, now, this.#sealing);
    this.#pending = [];
    return this.#text;
  }
}
