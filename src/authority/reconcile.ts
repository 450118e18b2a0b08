import { type CertificateAuthority, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { CARotationRequest } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import { classify } from '../errors.ts';
import { successorDue } from '../pki/ca-life.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { endOf, isPresent, signingOf, sourceOf } from '../rotation/generation.ts';
import { ProofsOwed } from '../rotation/members.ts';
import type { Plan } from '../rotation/plan-types.ts';
import { withStop } from '../rotation/reissue.ts';
import { answersOf } from '../rotation/requests.ts';
import { ownTrust } from '../rotation/trusted.ts';
import type { Trouble } from '../trouble.ts';
import { advance } from './advance.ts';
import { demandOn } from './demand.ts';
import type { AuthorityDeps } from './deps.ts';
import { fallbackReady } from './fallback-status.ts';
import { followAuthority } from './follow.ts';
import { reportMissingNamespace } from './missing-namespace.ts';
import { probe } from './probe.ts';
import { publishView, spreading } from './publish-view.ts';
import { report, reportBroken } from './report.ts';
import type { Runtime } from './runtime.ts';
import { viewAuthority } from './view.ts';

/** What was refused, while the last good CA goes on, is tried again. */
const REFUSED = { firstMs: 1_000, longestMs: 30_000 };

/** No watch event shows what changes on another machine: a new CA, a credential that has ended or needs to be renewed. */
const REMOTE_LOOK_MS = 5 * 60_000;
/** So much of it may be less, so that authorities that started together aren't reconciled together for ever. */
const REMOTE_LOOK_JITTER = 0.2;

/** One look at one authority. Where the first one fails, certificates must learn that too: they wait for a view. */
export async function reconcileAuthority(key: string, deps: AuthorityDeps, run: Run): Promise<Outcome> {
  try {
    return await observeAndStep(key, deps, run);
  } catch (thrown) {
    if (thrown instanceof ProofsOwed) {
      await deps.prove(key, run.signal);
      return { do: 'retry', at: deps.clock.now() };
    }
    const runtime = deps.registry.get(key);
    const error = classify(thrown);
    const { code, message } = error;
    if (runtime !== undefined && runtime.view === undefined)
      publishView(key, runtime, viewAuthority(runtime, [], { code, message }, deps.clock.now()), deps);
    if (deps.isFollowed?.(key)) throw thrown;
    const reported = await reportMissingNamespace(deps.find(key), error, deps);
    if (reported === undefined) throw thrown;
    return reported;
  }
}

/** Its CA generations one step on, its trust, its health. */
async function observeAndStep(key: string, deps: AuthorityDeps, run: Run): Promise<Outcome> {
  const resource = deps.find(key);
  // One that is being deleted goes on until it is gone: a finalizer may hold it for long, and its certificates with it.
  if (resource === undefined || isBrokenAuthority(resource)) {
    deps.registry.remove(key);
    deps.wakeCertificates(key);
    if (resource !== undefined && deps.isFollowed?.(key)) return { do: 'rest' };
    if (resource !== undefined) return reportBroken(resource, deps);
    deps.metrics.hide(key);
    deps.ledgers.forget(key);
    deps.fallbacks.forget(key);
    deps.revocations.forget(key);
    return { do: 'rest' };
  }
  const runtime = deps.registry.ensure(resource, () => deps.start(resource));
  if (deps.isFollowed?.(key)) return followAuthority(resource, runtime, deps, run);
  const { remote } = runtime.definition.capabilities;
  // What another machine says of its CA decides about the next step; what is at hand follows from it.
  if (remote) await probe(runtime, deps, run);
  // The plan compares what is in every ca.crt with what is to be there.
  await deps.fallbacks.look(resource, runtime);
  const advanced = await advance(resource, runtime, deps, run);
  if (advanced === undefined) return { do: 'again' };
  const { plan, stepped, refused, rest, foreign } = advanced;
  if (!remote) await probe(runtime, deps, run);
  // A step may have changed the trust, and a certificate must not be published with what isn't kept.
  const fallbackAt = await deps.fallbacks.look(resource, runtime);
  const trust = ownTrust(runtime);
  const now = deps.clock.now();
  const { breaker } = runtime;
  // Where nothing signs, the reason why is that of the source, not that nothing signs.
  const because = (trouble: Trouble | undefined) => trouble && (refused ?? spreading(runtime, now) ?? trouble);
  // After a clock was set back it began now.
  runtime.troubleSince = breaker.trouble && earliest([runtime.troubleSince, now]);
  const seen = viewAuthority(runtime, trust, because(breaker.blockedBy), now);
  const consumers = deps.consumers(resource);
  runtime.certificates = Math.max(consumers.length, ...plan.certificates.values());
  const {
    released,
    fresh,
    stop,
    recheckAt: releaseAt,
  } = runtime.releases.look(seen, consumers, deps.clock, deps.isOurs);
  await deps.revocations.learn(resource, runtime);
  publishView(key, runtime, { ...seen, released }, deps);
  deps.wakeReleased(fresh);
  const lookAgainAt = breaker.blockedBy && new Date(now.getTime() + breaker.probeInMs);
  // An authority of our own depends on what is watched, and its status isn't written anew for each look.
  const nextProbeAt = remote ? lookAgainAt : undefined;
  const trouble = because(breaker.trouble);
  const demand = demandOn(runtime, consumers, now);
  deps.metrics.showDemand(resource, demand);
  const { verified: shown } = runtime.backend;
  const verified = typeof shown === 'function' ? shown() : shown;
  const findings = {
    trusted: trust,
    trouble,
    refused,
    leftAside: [...(rest?.leftAside ?? []), ...runtime.untrusted],
    plan: withStop(plan, stop),
    stop,
    certificates: plan.certificates,
    requests: requestsOf(resource, runtime, now),
    foreign,
    nextProbeAt,
    demand,
    verified,
    warning: runtime.backend.warning?.(),
    verifiers: deps.verifiers(resource),
    fallback: fallbackReady(resource, deps.fallbackOf(resource), {
      keeps: runtime.fallback !== undefined,
      problem: deps.fallbacks.problemOf(key),
      isUnused: trouble !== undefined && trust.length === 0,
    }),
  };
  const revocation = await deps.revocations.look(resource, runtime, run);
  const reportAt = await report(resource, runtime, { ...findings, revocation }, deps);
  const ledgerAt = await deps.ledgers.write(resource);
  if (stepped) return { do: 'again' };
  return {
    do: 'rest',
    recheckAt: earliest([
      reportAt,
      ledgerAt,
      revocation.recheckAt,
      fallbackAt,
      lookAgainAt,
      rest?.reviewAt,
      releaseAt,
      recheckAt(resource, runtime, plan, refused, deps),
    ]),
  };
}

/** What the annotations of the authority ask for, and what became of that. */
function requestsOf(resource: CertificateAuthority, runtime: Runtime, now: Date): CARotationRequest[] {
  const { type } = runtime.definition;
  const { generations } = runtime;
  const versions = [...generations, ...(resource.status.generations ?? [])].map(({ version }) => version);
  const asked = {
    requests: resource.caRotation.asked,
    isManual: resource.caRotation.isManual,
    backend: resource.type,
    makesCA: runtime.backend.makesCA === true,
    isElsewhere: sourceOf(runtime) === undefined,
    generations: generations.filter((each) => isPresent(each, type)),
    former: generations.filter((each) => !isPresent(each, type)),
    newest: Math.max(0, ...versions),
    signing: signingOf(runtime, now),
    before: resource.status.caRotation?.requests ?? [],
  };
  return answersOf(asked, now);
}

/** The next moment at which something may be otherwise without any event. */
function recheckAt(
  resource: CertificateAuthority,
  runtime: Runtime,
  plan: Plan,
  refused: Trouble | undefined,
  deps: AuthorityDeps,
): Date | undefined {
  const now = deps.clock.now();
  runtime.refusals = refused === undefined ? 0 : runtime.refusals + 1;
  const tryAgain = refused && new Date(now.getTime() + backoffMs(runtime.refusals, REFUSED, deps.clock.random()));
  const ends = runtime.generations.map(({ path }) => endOf(path)).filter((end) => end > now);
  const renewals = runtime.generations
    .map(({ path: { certificate } }) => successorDue(certificate))
    .filter((due) => due > now);
  const planned = plan.step.do === 'settle' ? plan.step.recheckAt : undefined;
  const lookInMs = REMOTE_LOOK_MS * (1 - REMOTE_LOOK_JITTER * deps.clock.random());
  const lookAgain = runtime.definition.capabilities.remote ? new Date(now.getTime() + lookInMs) : undefined;
  const asked = resource.caRotation.asked.rotate?.wish;
  const rotateAt = asked !== undefined && asked > now ? asked : undefined;
  return earliest([tryAgain, planned, rotateAt, lookAgain, ...ends, ...renewals]);
}
