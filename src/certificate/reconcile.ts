import { isBroken } from '../api/client-certificate.ts';
import { earliest } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import { classify, RetryableError } from '../errors.ts';
import { generateKey, type KeySpec } from '../pki/keys.ts';
import { ALLOWED } from '../policy/permission.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { issue, repair } from './act.ts';
import { adoptedEvent } from './audited.ts';
import { trustedAuthority } from './authority-view.ts';
import { makesAFight, withAct } from './brakes.ts';
import { describeContest } from './contest.ts';
import { decide } from './decision/decide.ts';
import type { CertificateDeps } from './deps.ts';
import { afterFailure, reportFailure, saysNothingOfOne } from './failure.ts';
import { actingOn, depsAt } from './fallback.ts';
import { type Gate, gateOf } from './gate.ts';
import type { Act } from './observed.ts';
import { type Decision, Observed } from './observed.ts';
import type { Ask } from './request/deps.ts';
import { isUnderWay } from './request/request.ts';
import { isOver, leftOver, tidy, tidyAfterGone } from './request/tidy.ts';
import { askToRevoke, releaseBroken, stepFinalizer } from './revocation/step.ts';
import { mayAsk } from './revocation/wishes.ts';
import { secretNamedBy } from './rival.ts';
import type { SecretView } from './secret/view.ts';
import { logged, recordIssued } from './status/record-issued.ts';
import { type Findings, report, reportBroken } from './status/report.ts';

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
  if (isBroken(resource)) {
    deps.proveSecret(secretNamedBy(resource));
    if (await releaseBroken(resource, deps)) return { do: 'again' };
    return reportBroken(resource, deps);
  }

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
    const nothing = new Observed(unseen);
    // What can't be observed must not be held for ever.
    const heldUntil = resource.deleting === undefined ? undefined : await stepFinalizer(nothing, deps);
    if (heldUntil === 'written') return { do: 'again' };
    const outcome = await reportFailure(nothing, { do: 'settle', recheckAt: undefined }, error, deps);
    return notLater(outcome, heldUntil);
  }
  const decision = decide(seen, deps.clock.now());
  if (decision.do !== 'issue') deps.unpublished.leave(key, isOver(seen, decision));
  const revokeAt = askToRevoke(seen, decision, deps);
  const heldUntil = await stepFinalizer(seen, deps);
  if (heldUntil === 'written') return { do: 'again' };
  const outcome = await carryOutInTurn(key, seen, decision, deps, run);
  return notLater(outcome, revokeAt, heldUntil);
}

function notLater(outcome: Outcome, ...moments: readonly (Date | undefined)[]): Outcome {
  const first = earliest(moments);
  if (first === undefined) return outcome;
  if (outcome.do === 'rest') return { do: 'rest', recheckAt: earliest([outcome.recheckAt, first]) };
  // The pause after a failure is kept by the next decision, see failedAttempts.
  return outcome.do === 'retry' && first < outcome.at ? { do: 'retry', at: first } : outcome;
}

async function carryOutInTurn(
  key: string,
  seen: Observed,
  decision: Decision,
  deps: CertificateDeps,
  run: Run,
): Promise<Outcome> {
  // The first look at an authority comes in a moment, and wakes its certificates.
  if (seen.authority === 'AuthorityNotSeen') return report(seen, decision, { isPassing: true }, deps);
  const { acting, asked } = actingOn(seen, decision);
  const gate = gateOf(acting, decision, deadlineOf(seen.secret), { ...deps, runtime: () => deps.runtime(asked) });
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
  const isHeld = decision.do === 'settle' || decision.do === 'issue' || decision.do === 'repair';
  const suggestionAt = isHeld ? await deps.suggestions.look(seen, run) : undefined;
  // What it takes the place of is to be revoked within seconds, where that was asked for.
  const mayRevoke = decision.do === 'issue' && mayAsk(seen);
  const revokeAt = mayRevoke ? askToRevoke(seen, decide(seen, deps.clock.now()), deps) : undefined;
  return notLater(outcome, tidyAt, suggestionAt, revokeAt);
}

/** Carries out a decision; answers the state after it. */
async function act(
  seen: Observed,
  decision: Act,
  deps: CarryOutDeps,
  run: Run,
): Promise<{ readonly seen: Observed; readonly pending?: Findings['pending'] } | 'withheld'> {
  const { resource } = seen;
  const { acting, asked } = actingOn(seen, decision);
  const authority = trustedAuthority(acting);
  if (authority === undefined) return { seen };
  // To ask for an answer is no new act.
  if (decision.do === 'repair' || !isUnderWay(acting)) await noteAct(seen, decision, deps);
  const after = (secret: SecretView) => seen.with({ secret, recent: deps.recent.of(keyOf(resource)) });
  if (decision.do === 'repair') {
    const repaired = await repair(seen, authority, deps);
    deps.log.info('Secret repaired', { ...logged(seen), message: decision.message });
    auditAdoption(seen, decision, repaired, deps);
    return { seen: after(repaired) };
  }
  const backend = deps.runtime(asked)?.backend;
  if (backend === undefined) throw new RetryableError('Conflict', 'the authority went away');
  // One that may take seconds to answer must not keep a worker from those that don't.
  const { remote } = authority.capabilities;
  const slowly: Slowly = authority.signing?.isSlow ? deps.slowly : (work) => work();
  const around: Slowly = remote ? (work) => run.releaseWorker(work) : slowly;
  const ask: Ask = (request) => around(() => backend.issue(request, run.signal));
  const makeKey = (spec: KeySpec) =>
    spec.algorithm === 'RSA' ? deps.slowly(() => generateKey(spec)) : generateKey(spec);
  const startedMs = deps.clock.monotonicMs();
  const issuing = acting === seen ? deps : depsAt(asked, deps);
  const result = await issue(acting, authority, ask, { ...issuing, makeKey }, run, decision);
  if ('withheld' in result) return 'withheld';
  if ('pending' in result) return { seen, pending: result.pending };
  const { secret } = result;
  auditAdoption(seen, decision, secret, deps);
  if (secret.certificate !== undefined)
    recordIssued(acting, decision, secret, secret.certificate, deps.clock.monotonicMs() - startedMs, deps);
  return { seen: after(secret) };
}

function auditAdoption(seen: Observed, decision: Act, secret: SecretView, { audit }: CertificateDeps): void {
  const event = audit && adoptedEvent(seen, decision, secret);
  if (event !== undefined) audit?.write(event);
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

/** Nothing of it stays in memory, nor elsewhere: its Secrets may have gone with it, what was asked for may not. */
function forgetGone(key: string, deps: CertificateDeps, run: Run): Promise<Date | undefined> {
  deps.unpublished.drop(key);
  deps.recent.drop(key);
  deps.deletions.delete(key);
  return tidyAfterGone(key, deps.nextKey(key) ?? deps.awaited.under(key), deps, run);
}
