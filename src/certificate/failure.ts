import { wholeSecondsUp } from '../api/moments.ts';
import { type CertwheelError, classify, DeniedError, namingFallback, UnexpectedError } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { stackOf } from '../stack.ts';
import { isAuthority } from './authority-view.ts';
import { DENIED_RETRY_MS } from './decision/obstacles.ts';
import { longestRetryMs } from './decision/schedule.ts';
import type { CertificateDeps } from './deps.ts';
import { actingOn } from './fallback.ts';
import type { Decision, Observed } from './observed.ts';
import { logged } from './status/record-issued.ts';
import { report } from './status/report.ts';
import { attemptsSoFar } from './status/status.ts';

/** The first wait after a failure; from there it doubles up to what the life that is left allows. */
const FIRST_RETRY_MS = 1_000;

/** What follows after `decision` could not be carried out. Throws what says nothing of this one certificate. */
export async function afterFailure(
  before: Observed,
  decision: Decision,
  thrown: unknown,
  deps: CertificateDeps,
  run: Run,
): Promise<Outcome> {
  const error = namingFallback(classify(thrown), actingOn(before, decision).acting.issuedBy);
  // The process ends, and what it gave up for that is no failure of an authority.
  if (run.signal.aborted) return { do: 'rest' };
  if (error.code !== 'Conflict') deps.recent.failed(before.resource, error.code);
  if (saysNothingOfOne(error)) {
    // But a certificate that has ended meanwhile is said to have.
    if (error.code !== 'Conflict') await report(before, decision, { isPassing: true }, deps);
    throw error;
  }
  // What is stored isn't what was seen.
  const seen = error.code === 'SecretAltered' ? await deps.observe(before.resource) : before;
  return reportFailure(seen, decision, error, deps);
}

/** Every other certificate would fail alike, or would have lost the same race. */
export function saysNothingOfOne({ code }: CertwheelError): boolean {
  return code === 'Conflict' || code === 'ApiServerUnavailable' || code === 'TooManyRequests';
}

/** Says so in status, and when it is tried again. */
export async function reportFailure(
  seen: Observed,
  decision: Decision,
  error: CertwheelError,
  deps: CertificateDeps,
): Promise<Outcome> {
  const { resource } = seen;
  const { acting } = actingOn(seen, decision);
  const now = deps.clock.now();
  const type = isAuthority(seen.authority) ? seen.authority.type : 'none';
  deps.metrics.failed(type, error.code);
  if (error instanceof DeniedError) {
    const denied = await deps.observe(resource);
    // A denial that is kept with the request is reported as final: nothing will be tried again.
    if (denied.next?.denied !== undefined) {
      deps.log.warn('request denied', { ...logged(seen), code: error.code, error: error.message });
      return report(denied, decision, {}, deps);
    }
  }
  const longestMs = longestRetryMs(seen.held?.notAfter, resource.spec.durationMs, now);
  const waitMs =
    error.retryAfterMs ??
    // What a fallback denies must not keep the authority from issuing it as soon as it can.
    (error instanceof DeniedError && acting === seen ? DENIED_RETRY_MS : undefined) ??
    backoffMs(attemptsSoFar(resource) + 1, { firstMs: FIRST_RETRY_MS, longestMs }, deps.clock.random());
  const nextAttemptAt = wholeSecondsUp(new Date(now.getTime() + waitMs));
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
  return report(seen, decision, { failure: { error, nextAttemptAt } }, deps);
}
