import { isDeepStrictEqual } from 'node:util';
import { type BrokenClientCertificate, type ClientCertificate, conditionsOf } from '../../api/client-certificate.ts';
import { mergeConditions, whyBroken } from '../../api/conditions.ts';
import type { ClientCertificateStatus } from '../../api/generated/types.ts';
import { earliest } from '../../api/moments.ts';
import { keyOf, type ObjectMeta } from '../../api/parse.ts';
import type { StatusFields } from '../../api/stored-status.ts';
import { isStored } from '../../api/stored-status.ts';
import type { Audit } from '../../audit/event.ts';
import type { Clock } from '../../clock.ts';
import type { Buckets } from '../../queue/bucket.ts';
import type { Outcome } from '../../queue/controller.ts';
import { deniedEvent } from '../audited.ts';
import { decide } from '../decision/decide.ts';
import type { Decision, Observed } from '../observed.ts';
import { type EventText, expiredEvent, shortLifeEvent, slowedEvent, troubleEvent } from './events.ts';
import { CERTIFICATE_CONDITIONS, type Failure, nextStatus } from './status.ts';

export interface ReportDeps {
  readonly clock: Clock;
  /** From the cache; undefined once it is gone. */
  find(key: string): ClientCertificate | BrokenClientCertificate | undefined;
  /** Writes the status on the condition that the resource is still the one that was observed. */
  writeStatus(resource: ClientCertificate | BrokenClientCertificate, status: ClientCertificateStatus): Promise<void>;
  /** How often the status of one resource may be written. */
  readonly statusWrites: Buckets;
  recordEvent(resource: ClientCertificate, event: EventText): void;
  /** See ActDeps. */
  readonly audit?: Audit | undefined;
  /** See ActDeps. */
  requestedBy(resource: ClientCertificate): string;
  /** How long workloads may take to load a Secret that has changed. */
  readonly propagationMs: number;
  readonly metrics: {
    /** What the series of one certificate show from now on. */
    show(resource: ClientCertificate | BrokenClientCertificate, status: ClientCertificateStatus): void;
  };
}

/** What a run found out beyond what is seen in the cluster. */
export interface Findings {
  readonly failure?: Failure;
  /** What is waited for, and when to poll where no event comes. */
  readonly pending?: { readonly message: string; readonly pollAfterMs?: number } | undefined;
  /** The state is a passing one: status is written only where the stored one has become untrue. */
  readonly isPassing?: boolean;
}

/**
 * The one way out of a run: metrics, status and events say what is the case now, and the outcome says when to look again.
 * `acted` is the decision that was carried out, `seen` the state after it.
 */
export async function report(
  seen: Observed,
  acted: Decision,
  { failure, pending, isPassing = false }: Findings,
  deps: ReportDeps,
): Promise<Outcome> {
  const { resource } = seen;
  const now = deps.clock.now();
  const next = decide(seen, now);
  const status = nextStatus(seen, next, failure, now, deps.propagationMs, pending);
  // First, since the status may be refused. The resource may have gone meanwhile, and its series with it.
  if (deps.find(keyOf(resource)) !== undefined) deps.metrics.show(resource, status);
  const isNews = isPassing ? endsReadiness(resource, status) : !isStored(status, resource.status);
  // Another controller may write the same status, and each of its writes wakes us.
  const laterAt = isNews ? writeLaterAt(resource, deps) : undefined;
  if (laterAt !== undefined) return { do: 'rest', recheckAt: laterAt };
  if (isNews) await deps.writeStatus(resource, status);
  if (isNews || !isPassing)
    for (const eventOf of [troubleEvent, slowedEvent, expiredEvent, shortLifeEvent]) {
      const event = eventOf(resource, status);
      if (event === undefined) continue;
      deps.recordEvent(resource, event);
      const denied = deps.audit && deniedEvent(resource, event, deps.requestedBy(resource));
      if (denied !== undefined) deps.audit?.write(denied);
    }
  const turnAt = earliest([expiry(seen, now), later(resource.renewAt, now)]);
  if (failure?.nextAttemptAt !== undefined)
    return { do: 'retry', at: earliest([failure.nextAttemptAt, turnAt]) ?? failure.nextAttemptAt };
  const pollAt = pending?.pollAfterMs === undefined ? undefined : new Date(now.getTime() + pending.pollAfterMs);
  if (pending !== undefined) return { do: 'rest', recheckAt: earliest([pollAt, turnAt]) };
  // An act that leaves something to do (a Secret adopted and already due, a request that is over) is followed by the next.
  const tidyNext = acted.do === 'repair' && next.do === 'settle' && seen.next !== undefined;
  if (!isPassing && acted.do !== next.do && (next.do === 'issue' || next.do === 'repair' || tidyNext))
    return { do: 'again' };
  return { do: 'rest', recheckAt: earliest(['recheckAt' in next ? next.recheckAt : undefined, turnAt]) };
}

/** A moment at which another decision is due whatever the present one waits for. */
function later(moment: Date | undefined, now: Date): Date | undefined {
  return moment !== undefined && moment > now ? moment : undefined;
}

/** A resource that was stored under an older schema and makes no sense under today's. */
export async function reportBroken(resource: BrokenClientCertificate, deps: ReportDeps): Promise<Outcome> {
  const current = conditionsOf(resource.status);
  const conditions = mergeConditions(current, whyBroken(resource), CERTIFICATE_CONDITIONS, deps.clock.now());
  const status = { ...resource.status, observedGeneration: resource.generation, conditions };
  deps.metrics.show(resource, status);
  if (isDeepStrictEqual(status, resource.status)) return { do: 'rest' };
  const laterAt = writeLaterAt(resource, deps);
  if (laterAt !== undefined) return { do: 'rest', recheckAt: laterAt };
  await deps.writeStatus(resource, status);
  return { do: 'rest' };
}

/** When the status may be written, where that isn't now. */
function writeLaterAt(resource: ObjectMeta, { clock, statusWrites }: ReportDeps): Date | undefined {
  const waitMs = statusWrites.take(keyOf(resource), clock.monotonicMs());
  return waitMs === 0 ? undefined : new Date(clock.now().getTime() + waitMs);
}

/** Whether the stored status still says that the certificate is ready, and it isn't any more. */
function endsReadiness(resource: ClientCertificate, status: ClientCertificateStatus): boolean {
  const isReady = (each: StatusFields<'conditions'>) =>
    conditionsOf(each).some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return isReady(resource.status) && !isReady(status);
}

/** An expired certificate is never Ready, whatever else is or isn't going on. */
function expiry({ held }: Observed, now: Date): Date | undefined {
  const end = held?.notAfter;
  return end !== undefined && end > now ? end : undefined;
}
