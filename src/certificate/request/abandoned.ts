import { backoffMs } from '../../queue/backoff.ts';
import type { NextKey } from './next-key.ts';

/** A request that no certificate waits for any more, and that could not be removed at its authority. */
export interface AbandonedRequest {
  readonly next: NextKey;
  readonly attempts: number;
  /** When to try again, on the monotonic clock. */
  readonly againAtMs: number;
}

const RETRY = { firstMs: 30_000, longestMs: 3_600_000 };
/** With the waits above, a day. */
const MOST_ATTEMPTS = 30;
const MOST_LEFT = 1_000;

/**
 * Requests that are to be removed later. Memory is enough: the API server removes old CertificateSigningRequests by itself,
 * and a CertificateRequest goes with its ClientCertificate.
 */
export class AbandonedRequests {
  readonly #byCertificate = new Map<string, readonly AbandonedRequest[]>();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** Notes that it could not be removed; false where it will not be tried again. `random` is in [0, 1). */
  failed(certificate: string, next: NextKey, nowMs: number, random: number): boolean {
    const known = this.#of(certificate).find((left) => left.next.id === next.id);
    const attempts = (known?.attempts ?? 0) + 1;
    this.removed(certificate, next);
    if (attempts >= MOST_ATTEMPTS || this.#count >= MOST_LEFT) return false;
    const left = { next, attempts, againAtMs: nowMs + backoffMs(attempts, RETRY, random) };
    this.#set(certificate, [...this.#of(certificate), left]);
    return true;
  }

  removed(certificate: string, { id }: NextKey): void {
    this.#set(
      certificate,
      this.#of(certificate).filter(({ next }) => next.id !== id),
    );
  }

  /** Those of a certificate that are to be tried now. */
  due(certificate: string, nowMs: number): readonly AbandonedRequest[] {
    return this.#of(certificate).filter(({ againAtMs }) => againAtMs <= nowMs);
  }

  /** How long the next one has to wait; undefined where there is none. */
  nextInMs(certificate: string, nowMs: number): number | undefined {
    const waits = this.#of(certificate).map(({ againAtMs }) => againAtMs - nowMs);
    return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
  }

  #of(certificate: string): readonly AbandonedRequest[] {
    return this.#byCertificate.get(certificate) ?? [];
  }

  #set(certificate: string, all: readonly AbandonedRequest[]): void {
    this.#count += all.length - this.#of(certificate).length;
    if (all.length === 0) this.#byCertificate.delete(certificate);
    else this.#byCertificate.set(certificate, all);
  }
}
