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
  /** What was answered last, and when, and when to ask again, on the monotonic clock. */
  readonly pending?: Polled | undefined;
}

interface Polled {
  readonly answer: Pending;
  readonly askedAtMs: number;
  readonly askAtMs: number;
  /** Whether the object that the answer goes into has changed since. */
  readonly isChanged?: boolean;
}

/** So soon after a poll the next one, for which a change is the reason: a tenant may change the object all the time. */
const APART_MS = 1_000;
/** A timer may be a little early. */
const EARLY_MS = 50;

/** What is remembered of requests under way, to save reads; what must outlive a crash is in their Secrets. */
export class PendingRequests {
  readonly #byCertificate = new Map<string, PendingRequest>();
  /** By the key of the ClientCertificate: the id of its request. */
  readonly #forgottenDenials = new Map<string, string>();
  /** What is still to be removed of requests that are over. */
  readonly left = new AbandonedRequests();

  readonly #awaits: (certificate: string, configMap: string | undefined) => void;

  /** `awaits` is told in which ConfigMap the answer for a certificate is awaited now, if in any. */
  constructor(awaits: (certificate: string, configMap: string | undefined) => void = () => {}) {
    this.#awaits = awaits;
  }

  /** The one whose Secret this is, as it was written last. */
  of(next: NextKey): PendingRequest | undefined {
    const known = this.#byCertificate.get(certificateKey(next));
    return known?.next.uid === next.uid && known.next.id === next.id ? known : undefined;
  }

  /** The request of a ClientCertificate of that key, which may be gone, and its Secret with it. */
  under(certificate: string): NextKey | undefined {
    return this.#byCertificate.get(certificate)?.next;
  }

  /**
   * The object that the answer goes into has changed. Answers in how many milliseconds the request is to be polled; undefined
   * where none is awaited there.
   */
  noteChange(certificate: string, nowMs: number): number | undefined {
    const known = this.#byCertificate.get(certificate);
    if (known?.pending?.answer.answeredIn === undefined) return undefined;
    const { askedAtMs, askAtMs } = known.pending;
    const soonMs = Math.min(askAtMs, Math.max(nowMs, askedAtMs + APART_MS));
    this.#byCertificate.set(certificate, {
      ...known,
      pending: { ...known.pending, askAtMs: soonMs, isChanged: true },
    });
    return Math.max(0, soonMs - nowMs);
  }

  keep(awaited: PendingRequest): void {
    this.#byCertificate.set(certificateKey(awaited.next), awaited);
    this.#awaits(certificateKey(awaited.next), awaited.pending?.answer.answeredIn);
  }

  drop(certificate: string): void {
    this.#byCertificate.delete(certificate);
    this.#forgottenDenials.delete(certificate);
    this.#awaits(certificate, undefined);
  }

  /** What was made for a request that was denied has been removed, or is in `left`. */
  noteForgottenDenial(denied: NextKey): void {
    this.#forgottenDenials.set(certificateKey(denied), denied.id);
  }

  /** Whether this process has noted that; the one before may have ended between the denial and the removal. */
  isForgottenDenial(denied: NextKey): boolean {
    return this.#forgottenDenials.get(certificateKey(denied)) === denied.id;
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
