import type { ClientCertificate } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Decision, Observed } from './observed.ts';
import { longestRetryMs } from './schedule.ts';
import type { SecretView } from './secret-view.ts';

/** An issuance or a repair. */
export type Act = Extract<Decision, { do: 'issue' | 'repair' }>;

type Written = Pick<SecretView, 'uid' | 'resourceVersion'> & { readonly serialNumber: string | undefined };

/** What was done about one ClientCertificate lately. */
export interface Recent {
  /** Acts that somebody provoked, one after the other; see isProvoked. */
  readonly acts: number;
  /** When the last of them began. */
  readonly lastAt: Date;
  readonly generation: number;
  /** The Secret as the last act left it; undefined where that is unknown. */
  readonly written: Written | undefined;
  /** When an act had to undo what another writer had done, the latest first. */
  readonly contests: readonly Date[];
  /** What that writer does, as a sentence. */
  readonly contest: string | undefined;
  /** The last act has ended neither in a write nor in a failure: its request was lost, or another writer was faster. */
  readonly isOpen: boolean;
  /** The field that the last write stored otherwise than it was sent. */
  readonly altered: string | undefined;
}

/** So many acts may follow one another at once. */
const BURST = 5;
/** Then the wait begins with this and doubles; a single repair is to come within five seconds. */
const FIRST_WAIT_MS = 4_000;
/** Without an act for so long, the next one is the first. */
const WINDOW_MS = 10 * 60_000;
/** So many repairs within the window are a fight. */
const CONTESTS = 3;
/** The longest wait that there is, see longestRetryMs. */
const LONGEST_WAIT_MS = 3_600_000;
const NO_CONTESTS: readonly Date[] = [];

/** Until when the next act has to wait; undefined where it may be done now. After a clock was set back it may. */
export function slowedUntil({ recent, resource, secret }: Observed, now: Date): Date | undefined {
  if (recent === undefined || recent.lastAt > now) return undefined;
  const longestMs = longestRetryMs(secret?.certificate?.notAfter, resource.spec.durationMs, now);
  const until = new Date(recent.lastAt.getTime() + waitMs(recent.acts, longestMs));
  return until > now ? until : undefined;
}

/** What another writer does to the Secret again and again, as a sentence. */
export function contestOf({ recent }: Observed, now: Date): string | undefined {
  const end = contestEnds(recent);
  return end !== undefined && end > now ? recent?.contest : undefined;
}

/** When the fight is over, if nothing more happens. */
export function contestEnds(recent: Recent | undefined): Date | undefined {
  const [latest, , third] = recent?.contests ?? [];
  if (latest === undefined || third === undefined || latest.getTime() - third.getTime() >= WINDOW_MS) return undefined;
  return new Date(latest.getTime() + WINDOW_MS);
}

/** Whether this act undoes what another writer has done since the last one. */
export function undoesAnother({ resource, secret, recent }: Observed, act: Act): boolean {
  const isNewSpec = resource.generation !== (recent?.generation ?? resource.status.observedGeneration);
  if (isNewSpec || (act.do === 'issue' && act.reason === 'RenewAt')) return false;
  if (recent?.written === undefined)
    return act.do === 'issue' && (act.reason === 'SecretRepaired' || act.reason === 'SpecChanged');
  if (secret === undefined || secret.uid !== recent.written.uid) return true;
  if (act.do === 'repair') return secret.resourceVersion !== recent.written.resourceVersion;
  return secret.certificate?.serialNumber !== recent.written.serialNumber;
}

/**
 * Whether something outside brings this act about. What comes from the calendar or from the authority doesn't: the
 * schedule and the authority's own pace bound it. Nor does a first issue.
 */
function isProvoked(seen: Observed, act: Act): boolean {
  if (act.do === 'issue' && act.reason === 'FirstIssue' && seen.recent === undefined) return false;
  const { generation, status } = seen.resource;
  const isNewSpec = generation !== (seen.recent?.generation ?? status.observedGeneration);
  const isAsked = act.do === 'issue' && act.reason === 'RenewAt';
  return isNewSpec || isAsked || seen.recent?.isOpen === true || undoesAnother(seen, act);
}

/** The record with one more act. */
export function withAct(seen: Observed, act: Act, contest: string | undefined, now: Date): Recent {
  const { resource, recent: before } = seen;
  const isCounted = isProvoked(seen, act);
  const isPaused = before === undefined || now.getTime() - before.lastAt.getTime() >= forgottenAfterMs(before.acts);
  const past = before?.contests ?? NO_CONTESTS;
  return {
    acts: isPaused ? 1 : before.acts + (isCounted ? 1 : 0),
    lastAt: isCounted || before === undefined ? now : before.lastAt,
    generation: resource.generation,
    written: before?.written,
    contests: undoesAnother(seen, act) ? [now, ...past].slice(0, CONTESTS) : past,
    contest: contest ?? before?.contest,
    isOpen: true,
    altered: before?.altered,
  };
}

/** Whether this act makes it a fight: from then on people are told of it. */
export function makesAFight(seen: Observed, act: Act, now: Date): boolean {
  if (!undoesAnother(seen, act)) return false;
  const earliest = seen.recent?.contests[CONTESTS - 2];
  return earliest !== undefined && now.getTime() - earliest.getTime() < WINDOW_MS;
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
  wrote(resource: ClientCertificate, { uid, resourceVersion, certificate }: SecretView, altered?: string): void {
    const before = this.of(keyOf(resource));
    const written = { uid, resourceVersion, serialNumber: certificate?.serialNumber };
    if (before !== undefined) this.#records.set(keyOf(resource), { ...before, written, altered, isOpen: false });
  }

  /** The last act failed; its retry has a backoff of its own. */
  failed(resource: ClientCertificate): void {
    const before = this.of(keyOf(resource));
    if (before?.isOpen === true) this.#records.set(keyOf(resource), { ...before, isOpen: false });
  }

  drop(key: string): void {
    this.#records.delete(key);
  }

  /** Now and then drops what would be forgotten anyway. */
  #prune(nowMs: number): void {
    if (Math.abs(nowMs - this.#prunedAtMs) < FIRST_WAIT_MS) return;
    this.#prunedAtMs = nowMs;
    for (const [key, { lastAt, acts, altered }] of this.#records) {
      const agoMs = nowMs - lastAt.getTime();
      if (agoMs < WINDOW_MS) return;
      if (altered === undefined && agoMs >= forgottenAfterMs(acts)) this.#records.delete(key);
    }
  }
}

function waitMs(acts: number, longestMs: number): number {
  return acts < BURST ? 0 : backoffMs(acts - BURST + 1, { firstMs: FIRST_WAIT_MS, longestMs }, 0.5);
}

/** A fight goes on as soon as a wait is over, so a wait alone must not end it. */
function forgottenAfterMs(acts: number): number {
  return Math.max(WINDOW_MS, 2 * waitMs(acts, LONGEST_WAIT_MS));
}
