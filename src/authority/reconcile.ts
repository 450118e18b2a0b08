import { isDeepStrictEqual } from 'node:util';
import { authorityKey, type CertificateAuthority, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { CARotationRequest } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import { readableTrust } from '../backends/shared/readable-trust.ts';
import type { AuthorityView } from '../certificate/observed.ts';
import { classify } from '../errors.ts';
import { idOfChain, type SourceRest } from '../pki/ca.ts';
import { successorDue } from '../pki/ca-life.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { canSign, endOf, isPresent, mayHaveSigned, signingOf, sourceOf } from '../rotation/generation.ts';
import { planOf } from '../rotation/plan-of.ts';
import type { Plan } from '../rotation/plan-types.ts';
import { type Provenance, provenanceOf } from '../rotation/provenance.ts';
import { withStop } from '../rotation/reissue.ts';
import { answersOf } from '../rotation/requests.ts';
import { readSource } from '../rotation/source.ts';
import { nextVersion, tryStep } from '../rotation/steps.ts';
import { trustedNow } from '../rotation/trusted.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import { demandOn } from './demand.ts';
import type { AuthorityDeps } from './deps.ts';
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
    const runtime = deps.registry.get(key);
    const { code, message } = classify(thrown);
    if (runtime !== undefined && runtime.view === undefined)
      publishView(key, runtime, viewAuthority(runtime, [], { code, message }, deps.clock.now()), deps);
    throw thrown;
  }
}

/** Its CA generations one step on, its trust, its health. */
async function observeAndStep(key: string, deps: AuthorityDeps, run: Run): Promise<Outcome> {
  const resource = deps.find(key);
  // One that is being deleted goes on until it is gone: a finalizer may hold it for long, and its certificates with it.
  if (resource === undefined || isBrokenAuthority(resource)) {
    deps.registry.remove(key);
    deps.wakeCertificates(key);
    if (resource !== undefined) return reportBroken(resource, deps);
    deps.metrics.hide(key);
    deps.ledgers.forget(key);
    return { do: 'rest' };
  }
  const runtime = deps.registry.ensure(resource, () => deps.start(resource));
  const { remote } = runtime.definition.capabilities;
  // What another machine says of its CA decides about the next step; what is at hand follows from it.
  if (remote) await probe(runtime, deps, run);
  const advanced = await advance(resource, runtime, deps, run);
  if (advanced === undefined) return { do: 'again' };
  const { plan, stepped, refused, rest, foreign } = advanced;
  if (!remote) await probe(runtime, deps, run);
  const trust = trustedNow(runtime);
  const now = deps.clock.now();
  const { breaker } = runtime;
  // Where nothing signs, the reason why is that of the source, not that nothing signs.
  const because = (trouble: Trouble | undefined) => trouble && (refused ?? spreading(runtime, now) ?? trouble);
  const seen = viewAuthority(runtime, trust, because(breaker.blockedBy), now);
  const consumers = deps.consumers(resource);
  const { released, fresh, stop, recheckAt: releaseAt } = runtime.releases.look(seen, consumers, deps.clock);
  publishView(key, runtime, { ...seen, released }, deps);
  deps.wakeReleased(fresh);
  const lookAgainAt = breaker.blockedBy && new Date(now.getTime() + breaker.probeInMs);
  // An authority of our own depends on what is watched, and its status isn't written anew for each look.
  const nextProbeAt = remote ? lookAgainAt : undefined;
  const trouble = because(breaker.trouble);
  const demand = demandOn(runtime, consumers, now);
  deps.metrics.showDemand(resource, demand);
  const { verified } = runtime.backend;
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
    verifiers: deps.verifiers(resource),
  };
  const reportAt = await report(resource, runtime, findings, deps);
  const ledgerAt = await deps.ledgers.write(resource);
  if (stepped) return { do: 'again' };
  return {
    do: 'rest',
    recheckAt: earliest([
      reportAt,
      ledgerAt,
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
  const asked = {
    requests: resource.caRotation.asked,
    backend: resource.type,
    makesCA: runtime.backend.makesCA === true,
    isElsewhere: sourceOf(runtime) === undefined,
    generations: runtime.generations.filter((each) => isPresent(each, type)),
    signing: signingOf(runtime, now),
    before: resource.status.caRotation?.requests ?? [],
  };
  return answersOf(asked, now);
}

/** Between two backends the new CA doesn't sign before its trust is spread, and the former one doesn't sign any more. */
function spreading(runtime: Runtime, now: Date): Trouble | undefined {
  const prepared = runtime.generations.find((each) => !mayHaveSigned(each) && canSign(each));
  if (prepared === undefined || signingOf(runtime, now) !== undefined) return undefined;
  const message = `CA generation ${prepared.version} goes into every ca.crt before it signs, and that of the former backend signs no more`;
  return { code: 'AuthorityNotReady', message };
}

interface Advance {
  readonly plan: ReturnType<typeof planOf>;
  readonly stepped: boolean;
  /** Why a pair can't be one of the generations. */
  readonly refused: Trouble | undefined;
  /** See CaPath; undefined where the source could not be read. */
  readonly rest: SourceRest | undefined;
  readonly foreign: Provenance['foreign'];
}

/** Its CA generations, one step on where there is one to take; undefined where it has changed meanwhile. */
async function advance(
  resource: CertificateAuthority,
  runtime: Runtime,
  deps: AuthorityDeps,
  run: Run,
): Promise<Advance | undefined> {
  const key = authorityKey(resource);
  // Its status as it is now, which that of the runtime isn't.
  const evidence = { reported: resource.status.generations ?? [], members: () => deps.members(key) };
  const observe = () => provenanceOf(deps.generationSecrets(key), evidence, deps.clock.now());
  const seen = await observe();
  runtime.generations = seen.generations;
  const rotateAt = resource.caRotation.asked.rotate?.wish;
  const source = await readSource(runtime, nextVersion(resource, seen), deps, run, rotateAt);
  // The key of a CA may have been waited for.
  if (deps.registry.current(deps.find(key)) !== runtime) return undefined;
  const plan = planOf(resource, runtime, source.pair, deps);
  const { stepped, blocked } = await tryStep(plan, source, runtime, deps, run);
  if (stepped) runtime.generations = (await observe()).generations;
  const { problem, foreign } = seen;
  const unreadable = problem === undefined ? undefined : { code: 'CAPairRefused' as const, message: problem };
  // What comes next, for people.
  const next = stepped ? planOf(resource, runtime, source.pair, deps) : plan;
  return { plan: next, stepped, refused: source.trouble ?? blocked ?? unreadable, rest: source.pair?.rest, foreign };
}

/** Asks what is to be trusted, which doesn't change because the authority is away. */
async function probe(runtime: Runtime, deps: AuthorityDeps, run: Run): Promise<void> {
  const { signal, releaseWorker } = run;
  const { backend, breaker, definition } = runtime;
  const { remote } = definition.capabilities;
  // Whatever woke us, another machine that is in trouble is left alone until then.
  if (remote && breaker.probeInMs > 0) return;
  if (remote) await turnToProbe(runtime, deps, run);
  const found = breaker.probe();
  const ask = async () => {
    const stated = await backend.trust(signal);
    // Of an own CA, each pair was tried by all rules before it became a generation.
    const { trust, leftAside } = remote ? readableTrust(stated) : { trust: stated, leftAside: [] };
    runtime.trusted = trust;
    runtime.untrusted = leftAside;
    await backend.check(signal);
  };
  try {
    // It may take half a minute, and an owner of many such authorities would delay all others.
    await (remote ? releaseWorker(ask) : ask());
    found(undefined);
  } catch (thrown) {
    // An abort of our own says nothing about the authority.
    if (signal.aborted) throw thrown;
    const error = reportable(thrown, deps.log);
    found(troubleOf(error), error.retryAfterMs);
  }
}

/** Others may provoke a probe by each change of what the authority refers to. */
async function turnToProbe({ resource }: Runtime, { clock, registry }: AuthorityDeps, run: Run): Promise<void> {
  const { probes } = registry.paceOf(resource);
  for (let waitMs = probes.take(clock.monotonicMs()); waitMs > 0; waitMs = probes.take(clock.monotonicMs()))
    await run.releaseWorker(() => clock.sleep(waitMs, run.signal));
}

function publishView(key: string, runtime: Runtime, seen: AuthorityView, deps: AuthorityDeps): void {
  const before = runtime.view;
  // A server whose every refusal reads otherwise must not have the status of each certificate written at each probe.
  const isSameTrouble = before !== undefined && before.trouble?.code === seen.trouble?.code;
  const view = isSameTrouble ? { ...seen, trouble: before.trouble } : seen;
  runtime.view = view;
  if (before === undefined || !isDeepStrictEqual(visible(before), visible(view))) deps.wakeCertificates(key);
}

/** The part of a view whose change means that certificates must look again. */
function visible({ trouble, trust, intermediates, signing, limits, generations, usableAnchors }: AuthorityView) {
  return { usableAnchors, trouble, hash: trust.hash, below: idOfChain(intermediates), signing, limits, generations };
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
