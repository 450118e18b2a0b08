import { isBroken } from '../api/client-certificate.ts';
import { earliest, wholeSecondsUp } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import type { Backend } from '../backends/backend.ts';
import { type CertwheelError, classify, DeniedError, RetryableError, UnexpectedError } from '../errors.ts';
import { generateKey, type KeySpec } from '../pki/keys.ts';
import { ALLOWED } from '../policy/permission.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import type { SlowWork } from '../queue/slow-work.ts';
import { stackOf } from '../stack.ts';
import { type ActDeps, issue, repair } from './act.ts';
import { makesAFight, withAct } from './brakes.ts';
import { describeContest } from './contest.ts';
import { decide } from './decision/decide.ts';
import { DENIED_RETRY_MS } from './decision/obstacles.ts';
import { longestRetryMs } from './decision/schedule.ts';
import { type Gate, gateOf, type Turnstiles } from './gate.ts';
import type { Act } from './observed.ts';
import { type Decision, isAuthority, Observed, trustedAuthority } from './observed.ts';
import type { Ask } from './request/deps.ts';
import { isUnderWay } from './request/request.ts';
import { leftOver, type TidyDeps, tidy, tidyAfterGone } from './request/tidy.ts';
import type { SecretView } from './secret/view.ts';
import { logged, type RecordDeps, recordIssued } from './status/record-issued.ts';
import { type Findings, type ReportDeps, report, reportBroken } from './status/report.ts';
import { attemptsSoFar } from './status/status.ts';

export interface CertificateMetrics {
  failed(authorityType: string, code: string): void;
}

export interface CertificateDeps extends ActDeps, TidyDeps, RecordDeps, ReportDeps {
  observe(resource: Observed['resource']): Promise<Observed>;
  /** The authority behind it, and what keeps that from being asked too often; undefined where it isn't there. */
  runtime(resource: Observed['resource']): ({ readonly backend: Backend } & Turnstiles) | undefined;
  /** Where keys and signatures wait that take long to make; see gateOf. */
  readonly slowWork: SlowWork;
  readonly metrics: CertificateMetrics & RecordDeps['metrics'] & ReportDeps['metrics'];
}

/** The first wait after a failure; from there it doubles up to what the life that is left allows. */
const FIRST_RETRY_MS = 1_000;

/** One look at one ClientCertificate: observe, decide, act, report. Each way out but a lost race is a report. */
export async function reconcileCertificate(key: string, deps: CertificateDeps, run: Run): Promise<Outcome> {
  try {
    return await lookAt(key, deps, run);
  } catch (thrown) {
    // Another writer was faster; the next look is a fresh one.
    if (classify(thrown).code === 'Conflict') return { do: 'again' };
    throw thrown;
  }
}

async function lookAt(key: string, deps: CertificateDeps, run: Run): Promise<Outcome> {
  const resource = deps.find(key);
  if (resource === undefined) return { do: 'rest', recheckAt: await forgetGone(key, deps, run) };
  if (isBroken(resource)) return reportBroken(resource, deps);

  let seen: Observed;
  try {
    seen = await deps.observe(resource);
  } catch (thrown) {
    const error = classify(thrown);
    if (saysNothingOfOne(error)) throw error;
    const unseen = {
      resource,
      authority: 'AuthorityNotSeen',
      permission: ALLOWED,
      secret: undefined,
      rival: undefined,
    } as const;
    return reportFailure(new Observed(unseen), { do: 'settle', recheckAt: undefined }, error, deps);
  }
  const decision = decide(seen, deps.clock.now());
  if (decision.do !== 'issue') deps.unpublished.drop(key);
  // The first look at an authority comes in a moment, and wakes its certificates.
  if (seen.authority === 'AuthorityNotSeen') return report(seen, decision, { isPassing: true }, deps);
  const gate = gateOf(seen, decision, deadlineOf(seen.secret), deps);
  // Turned away for now: the next that leaves calls it.
  if (gate?.enter(key) === false)
    return report(seen, decision, { pending: { message: WAITS_FOR_ITS_TURN }, isPassing: true }, deps);
  try {
    return await carryOut(seen, decision, { ...deps, slowly: slowlyBehind(gate, seen, deps, run) }, run);
  } finally {
    gate?.leave();
  }
}

interface CarryOutDeps extends CertificateDeps {
  readonly slowly: Slowly;
}

type Slowly = <T>(work: () => Promise<T>) => Promise<T>;

/** How work is done that takes long in the thread pool: behind its turnstile, and without a worker. */
function slowlyBehind(gate: Gate | undefined, seen: Observed, { slowWork }: CertificateDeps, run: Run): Slowly {
  if (gate?.admitsSlowWork === true) return (work) => run.releaseWorker(work);
  const [key, deadline] = [keyOf(seen.resource), deadlineOf(seen.secret)];
  return (work) => run.releaseWorker(() => slowWork.run(key, deadline, work, run.signal));
}

const WAITS_FOR_ITS_TURN =
  'waits for its turn: as many others as are allowed ask the authority, or wait for RSA keys and signatures to be made';

/** By when a new certificate is needed, in milliseconds since the epoch: before the old one expires, if there is one. */
export function deadlineOf(secret: SecretView | undefined): number | undefined {
  return secret?.claimedValidity?.notAfter.getTime();
}

async function carryOut(before: Observed, decision: Decision, deps: CarryOutDeps, run: Run): Promise<Outcome> {
  let seen = before;
  let findings: Findings = {};
  try {
    if (decision.do === 'issue' || decision.do === 'repair') {
      const acted = await act(before, decision, deps, run);
      // What is kept now decides what there is to report.
      if (acted === 'withheld') return { do: 'again' };
      seen = acted.seen;
      findings = { pending: acted.pending };
    }
  } catch (thrown) {
    return afterFailure(before.with({ recent: deps.recent.of(keyOf(before.resource)) }), decision, thrown, deps, run);
  }
  const outcome = await report(seen, decision, findings, deps);
  if (findings.pending !== undefined) return outcome;
  const tidyAt = await tidy(keyOf(seen.resource), leftOver(seen, decision, deps), deps, run);
  return outcome.do === 'rest' ? { ...outcome, recheckAt: earliest([outcome.recheckAt, tidyAt]) } : outcome;
}

/** Carries out a decision; answers the state after it. */
async function act(
  seen: Observed,
  decision: Act,
  deps: CarryOutDeps,
  run: Run,
): Promise<{ readonly seen: Observed; readonly pending?: Findings['pending'] } | 'withheld'> {
  const { resource } = seen;
  const authority = trustedAuthority(seen);
  if (authority === undefined) return { seen };
  // To ask for an answer is no new act.
  if (decision.do === 'repair' || !isUnderWay(seen)) await noteAct(seen, decision, deps);
  const after = (secret: SecretView) => seen.with({ secret, recent: deps.recent.of(keyOf(resource)) });
  if (decision.do === 'repair') {
    const repaired = await repair(seen, authority, deps);
    deps.log.info('Secret repaired', { ...logged(seen), message: decision.message });
    return { seen: after(repaired) };
  }
  const backend = deps.runtime(resource)?.backend;
  if (backend === undefined) throw new RetryableError('Conflict', 'the authority went away');
  // One that may take seconds to answer must not keep a worker from those that don't.
  const { remote } = authority.capabilities;
  const slowly: Slowly = authority.signing?.isSlow ? deps.slowly : (work) => work();
  const around: Slowly = remote ? (work) => run.releaseWorker(work) : slowly;
  const ask: Ask = (request) => around(() => backend.issue(request, run.signal));
  const makeKey = (spec: KeySpec) =>
    spec.algorithm === 'RSA' ? deps.slowly(() => generateKey(spec)) : generateKey(spec);
  const startedMs = deps.clock.monotonicMs();
  const result = await issue(seen, authority, ask, { ...deps, makeKey }, run);
  if ('withheld' in result) return 'withheld';
  if ('pending' in result) return { seen, pending: result.pending };
  const { secret } = result;
  if (secret.certificate !== undefined)
    recordIssued(seen, decision, secret, secret.certificate, deps.clock.monotonicMs() - startedMs, deps);
  return { seen: after(secret) };
}

/** Counts an act before it is done, so that one that fails counts too. */
async function noteAct(seen: Observed, decision: Act, deps: CertificateDeps): Promise<void> {
  const { resource } = seen;
  const now = deps.clock.now();
  const contest = makesAFight(seen, decision, now)
    ? describeContest(seen, decision, await deps.secrets.get(resource.namespace, resource.spec.secretName))
    : undefined;
  deps.recent.keep(resource, withAct(seen, decision, contest, now));
}

async function afterFailure(
  before: Observed,
  decision: Decision,
  thrown: unknown,
  deps: CertificateDeps,
  run: Run,
): Promise<Outcome> {
  const error = classify(thrown);
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
function saysNothingOfOne({ code }: CertwheelError): boolean {
  return code === 'Conflict' || code === 'ApiServerUnavailable' || code === 'TooManyRequests';
}

async function reportFailure(
  seen: Observed,
  decision: Decision,
  error: CertwheelError,
  deps: CertificateDeps,
): Promise<Outcome> {
  const { resource } = seen;
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
    (error instanceof DeniedError ? DENIED_RETRY_MS : undefined) ??
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

/** Nothing of it stays in memory, nor elsewhere: its Secrets may have gone with it, what was asked for may not. */
function forgetGone(key: string, deps: CertificateDeps, run: Run): Promise<Date | undefined> {
  deps.unpublished.drop(key);
  deps.recent.drop(key);
  return tidyAfterGone(key, deps.nextKey(key) ?? deps.awaited.under(key), deps, run);
}
