import type { Clock } from '../clock.ts';
import type { SlowWork } from '../queue/slow-work.ts';
import type { Turnstile } from '../queue/turnstile.ts';
import { isAuthority } from './authority-view.ts';
import type { Decision, Observed } from './observed.ts';
import { notYet, type PendingRequests } from './request/pending-requests.ts';
import { isUnderWay } from './request/request.ts';

/** What keeps an authority from being asked too often, for certificates and for the answers to their requests. */
export interface Turnstiles {
  readonly turnstile: Turnstile | undefined;
  readonly polls: Turnstile | undefined;
}

/** What a certificate has to pass before its authority is asked. */
export interface Gate {
  /** Whether slow work of this machine may be done behind it; otherwise that has to wait for its own turn. */
  readonly admitsSlowWork: boolean;
  enter(key: string): boolean;
  leave(): void;
}

export interface GateDeps {
  /** Undefined where the authority isn't there. */
  runtime(resource: Observed['resource']): Turnstiles | undefined;
  readonly awaited: PendingRequests;
  readonly clock: Clock;
  /** Where keys and signatures wait that take long to make. */
  readonly slowWork: SlowWork;
}

/** A request that is asked for more often than this is young: its answer may be there at any moment. */
const YOUNG_MS = 10_000;

/**
 * New requests pass one turnstile, and polls for the answers to requests pass another one, so that neither many
 * that wait for a person hold up new requests, nor the other way round. Of the second kind young requests and old ones
 * take turns. Where the authority may be asked without limit, what takes long passes the turnstile of such work: otherwise a
 * namespace that wants many would hold all workers. Undefined where nothing has to be passed.
 */
export function gateOf(
  seen: Observed,
  decision: Decision,
  deadline: number | undefined,
  { runtime, awaited, clock, slowWork }: GateDeps,
): Gate | undefined {
  if (decision.do !== 'issue') return undefined;
  const { turnstile, polls } = runtime(seen.resource) ?? {};
  if (seen.next === undefined || !isUnderWay(seen)) {
    if (turnstile !== undefined) return gate(turnstile, deadline);
    return takesLong(seen) ? { ...gate(slowWork, deadline), admitsSlowWork: true } : undefined;
  }
  const request = awaited.of(seen.next);
  // Woken too early, it gets the last answer again.
  if (polls === undefined || (request !== undefined && notYet(request, clock.monotonicMs()))) return undefined;
  const { pending } = request ?? {};
  const isYoung = pending !== undefined && (pending.isChanged === true || pending.answer.pollAfterMs <= YOUNG_MS);
  return gate(polls, isYoung ? pending.askAtMs : undefined);
}

/** Keys that take long to make, and signatures of a CA whose key is large. */
function takesLong({ resource, authority }: Observed): boolean {
  return resource.spec.key.algorithm === 'RSA' || (isAuthority(authority) && authority.signing?.isSlow === true);
}

function gate(turnstile: Pick<Turnstile, 'enter' | 'leave'>, deadline: number | undefined): Gate {
  return { admitsSlowWork: false, enter: (key) => turnstile.enter(key, deadline), leave: () => turnstile.leave() };
}
