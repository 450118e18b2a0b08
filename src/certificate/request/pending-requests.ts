import type { KeyObject } from 'node:crypto';
import { keyOf } from '../../api/parse.ts';
import type { Issued, Pending } from '../../backends/backend.ts';
import { AbandonedRequests } from './abandoned.ts';
import type { NextKey } from './next-key.ts';

/** A request under way, and its key. */
export interface PendingRequest {
  readonly next: NextKey;
  readonly key: KeyObject;
  /** What came of it, where that is withheld. */
  readonly issued?: Issued | undefined;
  /** What was answered last, and when to ask again, on the monotonic clock. */
  readonly pending?: { readonly answer: Pending; readonly askAtMs: number } | undefined;
}

/** A timer may be a little early. */
const EARLY_MS = 50;

/** What is remembered of requests under way, to save reads; what must outlive a crash is in their Secrets. */
export class PendingRequests {
  readonly #byCertificate = new Map<string, PendingRequest>();
  /** What is still to be removed of requests that are over. */
  readonly left = new AbandonedRequests();

  /** The one whose Secret this is, as it was written last. */
  of(next: NextKey): PendingRequest | undefined {
    const known = this.#byCertificate.get(certificateKey(next));
    return known?.next.uid === next.uid && known.next.id === next.id ? known : undefined;
  }

  /** The request of a ClientCertificate of that key, which may be gone, and its Secret with it. */
  under(certificate: string): NextKey | undefined {
    return this.#byCertificate.get(certificate)?.next;
  }

  keep(awaited: PendingRequest): void {
    this.#byCertificate.set(certificateKey(awaited.next), awaited);
  }

  drop(certificate: string): void {
    this.#byCertificate.delete(certificate);
  }
}

/** The key of the ClientCertificate that waits. */
export function certificateKey({ namespace, certificateName }: NextKey): string {
  return keyOf({ namespace, name: certificateName });
}

/** The last answer again, where it is too early to ask: whatever woke us, an authority isn't asked more often for it. */
export function notYet({ pending }: PendingRequest, nowMs: number): Pending | undefined {
  if (pending === undefined || nowMs + EARLY_MS >= pending.askAtMs) return undefined;
  return { ...pending.answer, pollAfterMs: pending.askAtMs - nowMs };
}
