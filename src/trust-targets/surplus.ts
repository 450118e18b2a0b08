import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { EventText } from '../certificate/status/events.ts';
import { classify, type ErrorCode } from '../errors.ts';
import { type DesiredTarget, idOf, nameOf } from './desired.ts';
import { isOurs } from './judge.ts';
import type { TargetsDeps } from './reconcile.ts';
import type { Survey } from './survey.ts';
import type { TargetView } from './view.ts';

const TRY_AGAIN_MS = 10_000;
/** A user of a namespace may make as many as there is room for. */
const MOST_AT_ONCE = 50;

/**
 * Deletes the objects of an authority that its targets don't name any more, or whose namespace is not selected any more. At
 * once, also where certificates of its CA are still valid: an object that nothing updates would go on to trust a CA that
 * was replaced. Pods that run keep the files that they have mounted, and those that start later fail with a plain message.
 * Not in a namespace that is `waiting` for another object of the authority, which may be what replaces it: a place must not
 * lose its CA certificates to a source that can't be read, or to a write that is refused. Answers when to try again.
 */
export async function removeSurplus(
  resource: CertificateAuthority,
  wanted: readonly DesiredTarget[],
  waiting: ReadonlySet<string>,
  deps: TargetsDeps,
  signal: AbortSignal,
): Promise<Date | undefined> {
  // Where it isn't known which objects a target means, none is known to be surplus.
  if (wanted.some(({ trouble }) => trouble !== undefined)) return undefined;
  const ids = new Set(wanted.flatMap(({ objects }) => objects.map(idOf)));
  const key = authorityKey(resource);
  const surplus = deps
    .labelled(key)
    .filter((view) => isOurs(view, resource) && !view.isBeingDeleted && !ids.has(idOf(view)))
    .filter(({ namespace }) => !waiting.has(namespace));
  // Objects that could not be deleted come last, so that the others are.
  const wasRefused = (view: TargetView) => Number(deps.results.wasRefused(key, idOf(view)));
  const inTurn = surplus.toSorted((one, other) => wasRefused(one) - wasRefused(other));
  let [isFailed, isOneDeleted] = [false, false];
  for (const view of inTurn.slice(0, MOST_AT_ONCE)) {
    if (signal.aborted) break;
    if (await remove(resource, view, deps)) isOneDeleted = true;
    else isFailed = true;
  }
  if (surplus.length > MOST_AT_ONCE && isOneDeleted) return deps.clock.now();
  return isFailed ? new Date(deps.clock.now().getTime() + TRY_AGAIN_MS) : undefined;
}

/** The namespaces of all objects that are wanted. */
export function allPlaces(wanted: readonly DesiredTarget[]): ReadonlySet<string> {
  return new Set(wanted.flatMap(({ objects }) => objects.map(({ namespace }) => namespace)));
}

/** The namespaces of those that don't hold yet what they should. */
export function waitingPlaces({ targets }: Survey): ReadonlySet<string> {
  const waiting = targets.flatMap(({ objects }) => objects.filter(({ isHolding }) => !isHolding));
  return new Set(waiting.map(({ object }) => object.namespace));
}

/** The API server is away, or has too much to do. */
const PASSING: readonly ErrorCode[] = ['ApiServerUnavailable', 'TooManyRequests'];

function undeleted(view: TargetView, message: string): EventText {
  const note = `${nameOf(view)} is of no target any more, goes on to trust the CA certificates that it holds, and can't be deleted: ${message}; delete it by hand`;
  return { type: 'Warning', reason: 'TrustTargetRefused', action: 'DistributeTrust', note };
}

async function remove(resource: CertificateAuthority, view: TargetView, deps: TargetsDeps): Promise<boolean> {
  const about = { authority: authorityKey(resource), object: nameOf(view) };
  try {
    deps.ownership.assert(authorityKey(resource));
    await deps.access.remove(view);
    deps.metrics.targetWritten(view.kind, 'deleted');
    deps.audit?.write({ event: 'trustTargetDeleted', ...about, uid: resource.uid });
    deps.log.info('trust target deleted, since no target of the authority means it any more', about);
    deps.results.deleted(about.authority, idOf(view));
    return true;
  } catch (error) {
    const { code, message } = classify(error);
    // It has changed since, and may not be ours any more: the watch brings it.
    if (code === 'Conflict') return false;
    deps.metrics.targetWritten(view.kind, 'failed');
    // It is tried again and again, and no target has a status for it.
    if (!deps.results.isNewRefusal(about.authority, idOf(view), message)) return false;
    deps.log.warn('a trust target could not be deleted', { ...about, code, error: message });
    if (!PASSING.includes(code)) deps.recordEvent(resource, undeleted(view, message));
    return false;
  }
}
