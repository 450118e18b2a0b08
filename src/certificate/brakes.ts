import { longestRetryMs } from './decision/schedule.ts';
import type { Act, Observed } from './observed.ts';
import { type Cause, forgottenAfterMs, type Recent, WINDOW_MS, waitMs } from './recent.ts';
import type { SecretView } from './secret/view.ts';

/** So many repairs within the window are a fight. */
const CONTESTS = 3;
const NO_CONTESTS: readonly Date[] = [];

/** Until when the next act has to wait; undefined where it may be done now. After a clock was set back it may. */
export function slowedUntil({ recent, resource, held }: Observed, now: Date): Date | undefined {
  if (recent === undefined || recent.lastAt > now) return undefined;
  const longestMs = longestRetryMs(held?.notAfter, resource.spec.durationMs, now);
  const until = new Date(recent.lastAt.getTime() + waitMs(recent.acts, longestMs));
  return until > now ? until : undefined;
}

/** What another writer does to the Secret again and again, as a sentence. */
export function contestOf({ recent }: Observed, now: Date): string | undefined {
  const end = contestEnds(recent);
  const [latest] = recent?.contests ?? [];
  // By a clock that was ahead it would last until that moment.
  if (end === undefined || latest === undefined || latest > now) return undefined;
  return end > now ? recent?.contest : undefined;
}

/** When the fight is over, if nothing more happens. */
export function contestEnds(recent: Recent | undefined): Date | undefined {
  const [latest, , third] = recent?.contests ?? [];
  if (latest === undefined || third === undefined || latest.getTime() - third.getTime() >= WINDOW_MS) return undefined;
  return new Date(latest.getTime() + WINDOW_MS);
}

/** What brings this act about. */
function causeOf(seen: Observed, act: Act): Cause {
  const { resource, recent } = seen;
  if (recent === undefined && act.do === 'issue' && act.reason === 'FirstIssue') return 'calendar';
  if (resource.generation !== (recent?.generation ?? resource.status.observedGeneration)) return 'spec';
  if (undoesAnother(seen, act)) return 'writer';
  // It was asked for already, and that request is lost; a later wish waits for the answer.
  if (recent?.ended === 'open') return 'request';
  if (act.do === 'issue' && (act.reason === 'RenewAt' || act.reason === 'Revoked')) return 'spec';
  // The request of a client is part of what is asked for, in whatever object it is.
  if (act.do === 'issue' && act.reason === 'SpecChanged' && isOfClient(seen) && recent?.ended === 'written')
    return 'spec';
  // A retry has the backoff of its failure.
  return act.do === 'repair' && recent?.ended !== 'failed' ? 'trust' : 'calendar';
}

function isOfClient({ resource }: Observed): boolean {
  return resource.spec.csr !== undefined;
}

/** Whether another writer has changed since the last act what this act puts right. One that failed isn't counted twice. */
function undoesAnother({ secret, held, recent }: Observed, act: Act): boolean {
  const reason = act.do === 'issue' ? act.reason : undefined;
  const written = recent?.written;
  if (written === undefined) return reason === 'SecretRepaired' || reason === 'SpecChanged';
  if (versionOf(secret) === recent?.contested) return false;
  if (secret === undefined || secret.uid !== written.uid) return true;
  const isAnother = held?.serialNumber !== written.serialNumber;
  switch (reason) {
    case 'Due':
    case 'CARotated':
      return isAnother;
    case 'RenewAt':
    case 'Revoked':
      return isAnother || secret.memory.issuedAt?.getTime() !== written.issuedAtMs;
    default:
      return secret.resourceVersion !== written.resourceVersion;
  }
}

function versionOf(secret: SecretView | undefined): string {
  return secret?.resourceVersion ?? 'gone';
}

/** The record with one more act. */
export function withAct(seen: Observed, act: Act, contest: string | undefined, now: Date): Recent {
  const { resource, secret, recent: before } = seen;
  const cause = causeOf(seen, act);
  const isCounted = cause !== 'calendar';
  const isPaused = before === undefined || now.getTime() - before.lastAt.getTime() >= forgottenAfterMs(before.acts);
  const past = before?.contests ?? NO_CONTESTS;
  return {
    acts: isPaused ? 1 : before.acts + (isCounted ? 1 : 0),
    lastAt: isCounted || before === undefined ? now : before.lastAt,
    cause: isCounted ? cause : (before?.cause ?? cause),
    generation: resource.generation,
    written: before?.written,
    contests: cause === 'writer' ? [now, ...past].slice(0, CONTESTS) : past,
    contested: cause === 'writer' ? versionOf(secret) : before?.contested,
    contest: contest ?? before?.contest,
    ended: 'open',
    altered: before?.altered,
    refused: before?.refused ?? false,
  };
}

/** Whether this act makes it a fight, which is reported from then on. */
export function makesAFight(seen: Observed, act: Act, now: Date): boolean {
  if (causeOf(seen, act) !== 'writer') return false;
  const earliest = seen.recent?.contests[CONTESTS - 2];
  return earliest !== undefined && now.getTime() - earliest.getTime() < WINDOW_MS;
}
