import { isDeepStrictEqual } from 'node:util';
import {
  type BrokenClientCertificate,
  type ClientCertificate,
  conditionsOf,
  isBroken,
} from '../api/client-certificate.ts';
import { mergeConditions, whyBroken } from '../api/conditions.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import { isStored } from '../api/stored-status.ts';
import type { Authority, Pending } from '../authorities/authority.ts';
import { type CertwheelError, classify, DeniedError, RetryableError, UnexpectedError } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { stackOf } from '../stack.ts';
import { type ActDeps, type IssueResult, issue, repair } from './act.ts';
import { decide } from './decide.ts';
import { expiredEvent, shortLifeEvent, troubleEvent } from './events.ts';
import { gateOf, type Turnstiles } from './gate.ts';
import { type Decision, isAuthority, type Observed, type Permission } from './observed.ts';
import type { Ask } from './request.ts';
import { longestRetryMs } from './schedule.ts';
import type { SecretView } from './secret-view.ts';
import { attemptsSoFar, CERTIFICATE_CONDITIONS, type Failure, nextStatus } from './status.ts';
import { logged, type TellDeps, tellIssued } from './tell.ts';
import { isOver, type TidyDeps, tidy, tidyAfterGone } from './tidy.ts';

export interface CertificateMetrics {
  failed(authorityType: string, code: string): void;
  /** What the series of one certificate show from now on. */
  show(resource: ClientCertificate, status: ClientCertificateStatus): void;
}

export interface CertificateDeps extends ActDeps, TidyDeps, TellDeps {
  /** From the cache; undefined once it is gone. */
  find(key: string): ClientCertificate | BrokenClientCertificate | undefined;
  /** Undefined while its authority hasn't been looked at yet; that look wakes it. */
  observe(resource: ClientCertificate): Promise<Observed | undefined>;
  /** The authority behind it, and what keeps that from being asked too often; undefined where it isn't there. */
  runtime(resource: ClientCertificate): ({ readonly backend: Authority } & Turnstiles) | undefined;
  /** Writes the status on the condition that the resource is still the one that was looked at. */
  writeStatus(resource: ClientCertificate | BrokenClientCertificate, status: ClientCertificateStatus): Promise<void>;
  /** How long workloads may take to load a Secret that has changed. */
  readonly propagationMs: number;
  readonly metrics: CertificateMetrics & TellDeps['metrics'];
}

/** Policy and approval will decide here; until then everything is allowed that the authority's limits allow. */
const PERMISSION: Permission = { allowed: true, reason: '' };

/** An answer is an answer: it may be another after somebody changed a policy, which nothing tells us of. */
const DENIED_RETRY_MS = 3_600_000;

/** The first wait after a failure; from there it doubles up to what the life that is left allows. */
const FIRST_RETRY_MS = 1_000;

/** One look at one ClientCertificate: observe, decide, act, tell. */
export async function reconcileCertificate(key: string, deps: CertificateDeps, run: Run): Promise<Outcome> {
  const resource = deps.find(key);
  if (resource === undefined) return { do: 'rest', recheckAt: await forgetGone(key, deps, run) };
  if (resource.deleting) return { do: 'rest' };
  if (isBroken(resource)) return reportBroken(resource, deps);

  const seen = await deps.observe(resource);
  if (seen === undefined) return { do: 'rest' };
  const decision = decide(seen, PERMISSION, deps.clock.now());
  if (decision.do !== 'issue') deps.unpublished.drop(key);
  const gate = gateOf(seen, decision, deadlineOf(seen.secret), deps);
  // Turned away for now: whoever leaves calls the next. That may take long, so metrics tell of it meanwhile.
  if (gate?.enter(key) === false) {
    const now = deps.clock.now();
    show(resource, nextStatus(seen, decision, undefined, now, deps.propagationMs), deps);
    return { do: 'rest', recheckAt: expiry(seen, now) };
  }
  try {
    return await carryOut(seen, decision, deps, run);
  } finally {
    gate?.leave();
  }
}

/** By when a new certificate is needed, in milliseconds since the epoch: before the old one expires, if there is one. */
export function deadlineOf(secret: SecretView | undefined): number | undefined {
  return secret?.claimedValidity?.notAfter.getTime();
}

async function carryOut(seen: Observed, decision: Decision, deps: CertificateDeps, run: Run): Promise<Outcome> {
  try {
    const startedMs = deps.clock.monotonicMs();
    const result = await act(seen, decision, deps, run);
    if ('pending' in result) return await report(seen, decision, undefined, deps, result.pending);
    const { secret } = result;
    if (decision.do === 'issue' && secret?.certificate !== undefined)
      tellIssued(seen, decision, secret.certificate, deps.clock.monotonicMs() - startedMs, deps);
    const outcome = await report({ ...seen, secret }, decision, undefined, deps);
    const leftOver = isOver(seen, decision) ? deps.nextKey(keyOf(seen.resource)) : undefined;
    const tidyAt = await tidy(keyOf(seen.resource), leftOver, deps, run);
    return outcome.do === 'rest' ? { ...outcome, recheckAt: earliest([outcome.recheckAt, tidyAt]) } : outcome;
  } catch (thrown) {
    const error = classify(thrown);
    // Not about this certificate: somebody was faster, or the API server is away. Status couldn't tell it better.
    if (error.code === 'Conflict') return { do: 'again' };
    if (error.code === 'ApiServerUnavailable' || error.code === 'TooManyRequests') throw error;
    return await reportFailure(seen, decision, error, deps);
  }
}

async function act(
  seen: Observed,
  decision: Decision,
  deps: CertificateDeps,
  run: Run,
): Promise<IssueResult | { readonly secret: SecretView | undefined }> {
  if ((decision.do !== 'issue' && decision.do !== 'repair') || !isAuthority(seen.authority))
    return { secret: seen.secret };
  if (decision.do === 'repair') {
    const repaired = await repair(seen, seen.authority, deps);
    deps.log.info('Secret repaired', { ...logged(seen), message: decision.message });
    return { secret: repaired };
  }
  const backend = deps.runtime(seen.resource)?.backend;
  if (backend === undefined) throw new RetryableError('Conflict', 'the authority went away');
  // One that may take seconds to answer must not keep a worker from those who don't.
  const ask: Ask = seen.authority.capabilities.remote
    ? (request) => run.outside(() => backend.issue(request, run.signal))
    : (request) => backend.issue(request, run.signal);
  return issue(seen, seen.authority, ask, deps, run);
}

/** Tells what is the case after the act; `acted` is the decision that led to it. */
async function report(
  seen: Observed,
  acted: Decision,
  failure: Failure | undefined,
  deps: CertificateDeps,
  pending?: Pending,
): Promise<Outcome> {
  const { resource } = seen;
  const now = deps.clock.now();
  const next = decide(seen, PERMISSION, now);
  const status = nextStatus(seen, next, failure, now, deps.propagationMs, pending);
  if (!isStored(status, resource.status)) await deps.writeStatus(resource, status);
  show(resource, status, deps);
  for (const eventOf of [troubleEvent, expiredEvent, shortLifeEvent]) {
    const event = eventOf(resource, status);
    if (event !== undefined) deps.tell(resource, event);
  }
  if (failure?.nextAttemptAt !== undefined)
    return { do: 'retry', at: earliest([failure.nextAttemptAt, expiry(seen, now)]) ?? failure.nextAttemptAt };
  if (pending !== undefined)
    return { do: 'rest', recheckAt: earliest([new Date(now.getTime() + pending.pollAfterMs), expiry(seen, now)]) };
  // An act that leaves something to do (a Secret adopted and already due, a request that is over) is followed by the next.
  const tidyNext = acted.do === 'repair' && next.do === 'settle' && seen.next !== undefined;
  if (acted.do !== next.do && (next.do === 'issue' || next.do === 'repair' || tidyNext)) return { do: 'again' };
  return { do: 'rest', recheckAt: earliest(['recheckAt' in next ? next.recheckAt : undefined, expiry(seen, now)]) };
}

/** It may have gone meanwhile, and its series with it. */
function show(resource: ClientCertificate, status: ClientCertificateStatus, deps: CertificateDeps): void {
  if (deps.find(keyOf(resource)) !== undefined) deps.metrics.show(resource, status);
}

async function reportFailure(
  seen: Observed,
  decision: Decision,
  error: CertwheelError,
  deps: CertificateDeps,
): Promise<Outcome> {
  const { resource, secret } = seen;
  const now = deps.clock.now();
  const type = isAuthority(seen.authority) ? seen.authority.type : 'none';
  deps.metrics.failed(type, error.code);
  if (error instanceof DeniedError) {
    const denied = await deps.observe(resource);
    // What is kept with the request is told as what it is: nothing will be tried again.
    if (denied?.next?.denied !== undefined) {
      deps.log.warn('request denied', { ...logged(seen), code: error.code, error: error.message });
      return report(denied, decision, undefined, deps);
    }
  }
  const longestMs = longestRetryMs(secret?.certificate?.notAfter, resource.spec.durationMs, now);
  const waitMs =
    error.retryAfterMs ??
    (error instanceof DeniedError ? DENIED_RETRY_MS : undefined) ??
    backoffMs(attemptsSoFar(resource) + 1, { firstMs: FIRST_RETRY_MS, longestMs }, deps.clock.random());
  // Whole seconds, as status will show them.
  const nextAttemptAt = new Date(Math.ceil((now.getTime() + waitMs) / 1000) * 1000);
  const fields = {
    ...logged(seen),
    code: error.code,
    error: error.message,
    nextAttempt: nextAttemptAt,
    doing: decision.do,
  };
  if (error instanceof UnexpectedError)
    deps.log.error('unexpected error, please report it', { ...fields, stack: stackOf(error.cause ?? error) });
  else deps.log.warn('rotation failed', fields);
  return report(seen, decision, { error, nextAttemptAt }, deps);
}

/** Nothing of it stays in memory, nor elsewhere: its Secrets may have gone with it, what was asked for may not. */
function forgetGone(key: string, deps: CertificateDeps, run: Run): Promise<Date | undefined> {
  deps.unpublished.drop(key);
  return tidyAfterGone(key, deps.nextKey(key) ?? deps.awaited.under(key), deps, run);
}

async function reportBroken(resource: BrokenClientCertificate, deps: CertificateDeps): Promise<Outcome> {
  const current = conditionsOf(resource.status);
  const conditions = mergeConditions(current, whyBroken(resource), CERTIFICATE_CONDITIONS, deps.clock.now());
  const status = { ...resource.status, observedGeneration: resource.generation, conditions };
  if (!isDeepStrictEqual(status, resource.status)) await deps.writeStatus(resource, status);
  return { do: 'rest' };
}

/** An expired certificate is never Ready, whatever else is or isn't going on. */
function expiry({ secret }: Observed, now: Date): Date | undefined {
  const end = secret?.certificate?.notAfter;
  return end !== undefined && end > now ? end : undefined;
}
