import type { ClientCertificate } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import type { ErrorCode } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { SecretView } from './secret/view.ts';

interface Written extends Pick<SecretView, 'uid' | 'resourceVersion'> {
  readonly serialNumber: string | undefined;
  readonly issuedAtMs: number | undefined;
}

/**
 * What brings an act about: a change of the spec or a wish, another writer of the Secret, a request that was lost, the
 * authority's trust. The calendar isn't counted, nor what the authority has it do: the schedule bounds it.
 */
export type Cause = 'spec' | 'writer' | 'request' | 'trust' | 'calendar';

/** What was done about one ClientCertificate lately. */
export interface Recent {
  /** Acts one after the other, those of the calendar left out. */
  readonly acts: number;
  /** When the last of them began. */
  readonly lastAt: Date;
  /** What brought it about. */
  readonly cause: Cause;
  readonly generation: number;
  /** The Secret as the last act left it; undefined where that is unknown. */
  readonly written: Written | undefined;
  /** When an act had to undo what another writer had done, the latest first. */
  readonly contests: readonly Date[];
  /** The version of the Secret that was contested last and isn't overwritten yet. */
  readonly contested: string | undefined;
  /** What that writer does, as a sentence. */
  readonly contest: string | undefined;
  /** How the last act ended. One that is still open has lost its request, or the race against another writer. */
  readonly ended: 'open' | 'written' | 'failed';
  /** The field that the last write stored otherwise than it was sent. */
  readonly altered: string | undefined;
  /** The last Secret could not be stored. Status says so too, unless the API server refuses that as well. */
  readonly refused?: boolean;
}

/** So many acts may follow one another at once. */
const BURST = 5;
/** Then the wait begins with this and doubles; a single repair is to come within five seconds. */
const FIRST_WAIT_MS = 4_000;
/** Without an act for so long, the next one is the first. */
export const WINDOW_MS = 10 * 60_000;
/** The longest wait that there is, see longestRetryMs. */
const LONGEST_WAIT_MS = 3_600_000;

/** The Secret could not be stored, and the next one may not be either. */
export function isRefusal(code: string | undefined): boolean {
  return code === 'SecretRefused' || code === 'Forbidden' || code === 'SecretTooLarge';
}

/** The records of all certificates; in memory only, so a restart begins with a new burst. */
export class RecentActs {
  readonly #records = new Map<string, Recent>();
  #prunedAtMs = 0;

  of(key: string): Recent | undefined {
    return this.#records.get(key);
  }

  keep(resource: ClientCertificate, recent: Recent): void {
    const key = keyOf(resource);
    // Deleted and set again, so that the map stays in the order of the last use.
    this.#records.delete(key);
    this.#records.set(key, recent);
    this.#prune(recent.lastAt.getTime());
  }

  /** The Secret as it is stored now; `altered` names the field that isn't as it was sent. */
  wrote(
    resource: ClientCertificate,
    { uid, resourceVersion, certificate, memory }: SecretView,
    altered?: string,
  ): void {
    const before = this.of(keyOf(resource));
    const issuedAtMs = memory.issuedAt?.getTime();
    const written = { uid, resourceVersion, serialNumber: certificate?.serialNumber, issuedAtMs };
    if (before !== undefined)
      this.#records.set(keyOf(resource), {
        ...before,
        written,
        altered,
        refused: false,
        contested: undefined,
        ended: 'written',
      });
  }

  /** The last act failed; its retry has a backoff of its own. */
  failed(resource: ClientCertificate, code: ErrorCode): void {
    const before = this.of(keyOf(resource));
    const refused = isRefusal(code) || before?.refused === true;
    if (before?.ended === 'open') this.#records.set(keyOf(resource), { ...before, ended: 'failed', refused });
  }

  drop(key: string): void {
    this.#records.delete(key);
  }

  /** Now and then drops what would be forgotten anyway. */
  #prune(nowMs: number): void {
    if (Math.abs(nowMs - this.#prunedAtMs) < FIRST_WAIT_MS) return;
    this.#prunedAtMs = nowMs;
    for (const [key, { lastAt, acts, altered, refused }] of this.#records) {
      const agoMs = nowMs - lastAt.getTime();
      if (agoMs < WINDOW_MS) return;
      if (altered === undefined && refused !== true && agoMs >= forgottenAfterMs(acts)) this.#records.delete(key);
    }
  }
}

/** How long the act after so many others waits; at most `longestMs`. */
export function waitMs(acts: number, longestMs: number): number {
  return acts < BURST ? 0 : backoffMs(acts - BURST + 1, { firstMs: FIRST_WAIT_MS, longestMs }, 0.5);
}

/** A fight goes on as soon as a wait is over, so a wait alone must not end it. */
export function forgottenAfterMs(acts: number): number {
  return Math.max(WINDOW_MS, 2 * waitMs(acts, LONGEST_WAIT_MS));
}
