import type { MaterialError } from './material.ts';

export type CaFlaw =
  | MaterialError['flaw']
  | 'UnreadableCertificate'
  | 'KeyMismatch'
  | 'NotACa'
  | 'Expired'
  | 'NotYetValid'
  | 'MissingIssuer'
  | 'BrokenChain'
  | 'UnfitForClients';

/** The message names the Secret, its key, what was seen there, and what mends it; it never holds any of a key. */
export class CaError extends Error {
  readonly flaw: CaFlaw;

  constructor(flaw: CaFlaw, message: string) {
    super(message);
    this.name = 'CaError';
    this.flaw = flaw;
  }
}
