import type { Turnstile } from '../queue/turnstile.ts';
import type { Decision, Observed } from './observed.ts';
import type { CertificateDeps } from './reconcile.ts';
import { notYet } from './request/pending.ts';
import { isUnderWay } from './request/request.ts';

/** What keeps an authority from being asked too often, for certificates and for the answers to their requests. */
export interface Turnstiles {
  readonly turnstile: Turnstile | undefined;
  readonly polls: Turnstile | undefined;
}

/** What a certificate has to pass before its authority is asked. */
export interface Gate {
  enter(key: string): boolean;
  leave(): void;
}

/** A request that is asked for more often than this is young: its answer may be there at any moment. */
const YOUNG_MS = 10_000;

/**
 * New requests pass one turnstile, and whoever asks for the answer to a request passes another one, so that neither many
 * that wait for a person hold up new requests, nor the other way round. Of the second kind young requests and old ones
 * take turns. Where the authority may be asked without limit, a key that takes long to make passes the turnstile of these:
 * otherwise a namespace that wants many would hold all workers. Undefined where nothing has to be passed.
 */
export function gateOf(
  seen: Observed,
  decision: Decision,
  deadline: number | undefined,
  { runtime, awaited, clock, slowKeys }: Pick<CertificateDeps, 'runtime' | 'awaited' | 'clock' | 'slowKeys'>,
): Gate | undefined {
  if (decision.do !== 'issue') return undefined;
  const { turnstile, polls } = runtime(seen.resource) ?? {};
  if (seen.next === undefined || !isUnderWay(seen)) {
    const passed = turnstile ?? (seen.resource.spec.key.algorithm === 'RSA' ? slowKeys : undefined);
    return passed && gate(passed, deadline);
  }
  const request = awaited.of(seen.next);
  // Woken too early, it is told the last answer again.
  if (polls === undefined || (request !== undefined && notYet(request, clock.monotonicMs()))) return undefined;
  const { pending } = request ?? {};
  return gate(polls, pending !== undefined && pending.answer.pollAfterMs <= YOUNG_MS ? pending.askAtMs : undefined);
}

function gate(turnstile: Turnstile, deadline: number | undefined): Gate {
  return { enter: (key) => turnstile.enter(key, deadline), leave: () => turnstile.leave() };
}
