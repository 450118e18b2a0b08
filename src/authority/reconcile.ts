import { isDeepStrictEqual } from 'node:util';
import {
  type AnyCertificateAuthority,
  authorityConditions,
  type BrokenCertificateAuthority,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import { mergeConditions } from '../api/conditions.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/events.ts';
import type { AuthorityView } from '../certificate/observed.ts';
import type { Clock } from '../clock.ts';
import { AuthorityError, classify } from '../errors.ts';
import type { Logger } from '../log.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { CaPair } from '../pki/ca.ts';
import { successorDue } from '../pki/ca-life.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome } from '../queue/controller.ts';
import type { GenerationSecret } from './generation-secret.ts';
import {
  endOf,
  type Generation,
  type Member,
  type Plan,
  planRotation,
  type Step,
  signingGeneration,
} from './generations.ts';
import { type Registry, type Runtime, type Trouble, viewAuthority } from './registry.ts';
import { AUTHORITY_CONDITIONS, type AuthorityFindings, authorityStatus } from './status.ts';

export interface AuthorityDeps {
  find(key: string): AnyCertificateAuthority | undefined;
  readonly registry: Registry;
  start(resource: CertificateAuthority): Runtime;
  /** The Secrets that keep CA generations of this authority, the unreadable ones too. */
  generationSecrets(key: string): readonly GenerationSecret[];
  members(key: string): readonly Member[];
  writeGeneration(
    resource: CertificateAuthority,
    generation: Omit<Generation, 'secret'>,
    secret?: { readonly namespace: string; readonly uid?: string; readonly resourceVersion: string },
  ): Promise<void>;
  deleteGeneration(generation: Generation): Promise<void>;
  writeStatus(resource: AnyCertificateAuthority, status: AuthorityStatus): Promise<void>;
  tell(resource: AnyCertificateAuthority, event: EventText): void;
  /** Something that certificates look at has changed. */
  wakeCertificates(key: string): void;
  readonly metrics: AuthorityMetrics;
  readonly assertLeading: () => void;
  /** How long workloads are given to load a Secret that changed. */
  readonly trustPropagationMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AuthorityMetrics {
  show(resource: CertificateAuthority, ready: boolean, caNotAfter: Date | undefined): void;
  /** It is gone, or can't be read. */
  hide(key: string): void;
}

/** An authority that is down is probed this often, whatever the number of certificates that wait for it. */
const PROBE = { firstMs: 1_000, longestMs: 30_000 };

/** One look at one authority. Where the first one fails, certificates must learn that too: they wait for a view. */
export async function reconcileAuthority(key: string, deps: AuthorityDeps, signal: AbortSignal): Promise<Outcome> {
  try {
    return await lookAt(key, deps, signal);
  } catch (thrown) {
    const runtime = deps.registry.get(key);
    const { code, message } = classify(thrown);
    if (runtime !== undefined && runtime.view === undefined)
      show(key, runtime, viewAuthority(runtime, [], { code, message }, deps.clock.now()), deps);
    throw thrown;
  }
}

/** Its CA generations one step on, its trust, its health. */
async function lookAt(key: string, deps: AuthorityDeps, signal: AbortSignal): Promise<Outcome> {
  const resource = deps.find(key);
  if (resource === undefined || resource.deleting || isBrokenAuthority(resource)) {
    deps.registry.remove(key);
    deps.metrics.hide(key);
    deps.wakeCertificates(key);
    return resource === undefined || !isBrokenAuthority(resource) ? { do: 'rest' } : reportBroken(resource, deps);
  }
  const runtime = deps.registry.ensure(resource, () => deps.start(resource));
  const stored = deps.generationSecrets(key);
  runtime.generations = stored.flatMap(({ generation }) => generation ?? []);

  const source = await readSource(runtime, nextVersion(resource, stored), signal);
  const plan = planOf(key, runtime, source.pair, deps);
  runtime.clearSince = plan.clearSince;
  const { stepped, blocked } = await tryStep(plan.step, source.pair, nextVersion(resource, stored), runtime, deps);
  if (stepped) runtime.generations = deps.generationSecrets(key).flatMap(({ generation }) => generation ?? []);

  const probe = await probeBackend(runtime, signal);
  const unreadable = stored.find(({ problem }) => problem !== undefined);
  const refused =
    source.trouble ?? blocked ?? (unreadable && { code: 'CAPairRefused' as const, message: unreadable.problem ?? '' });
  const now = deps.clock.now();
  // Where nothing signs, the reason why is that of the source, not that nothing signs.
  const trouble = probe.trouble && (refused ?? probe.trouble);
  show(key, runtime, viewAuthority(runtime, probe.trust, trouble, now), deps);
  await report(resource, runtime, { trouble, refused, waitingFor: plan.waitingFor }, deps);
  if (stepped) return { do: 'again' };
  return { do: 'rest', recheckAt: recheckAt(runtime, plan, trouble ?? refused, deps) };
}

interface Source {
  readonly pair: CaPair | undefined;
  readonly trouble: Trouble | undefined;
}

/** The CA pair that is to sign, from wherever this authority has it. */
async function readSource(runtime: Runtime, version: number, signal: AbortSignal): Promise<Source> {
  const { backend, definition, generations } = runtime;
  if (backend.keyPair === undefined) return { pair: undefined, trouble: undefined };
  const newest = generations
    // One whose mark was lost counts too: to make another CA would be worse.
    .filter(({ source }) => source === definition.type || source === '')
    .sort((one, other) => other.version - one.version)[0];
  try {
    return { pair: await backend.keyPair(newest?.pair, version, signal), trouble: undefined };
  } catch (thrown) {
    return { pair: undefined, trouble: troubleOf(thrown) };
  }
}

function planOf(key: string, runtime: Runtime, pair: CaPair | undefined, deps: AuthorityDeps): Plan {
  const { generations, clearSince } = runtime;
  const trust = bundleOf(generations.map((each) => each.pair.anchor));
  const rotation = {
    generations,
    wanted: pair?.certificate.fingerprintSHA256,
    // Asked for only where they count, since there may be many.
    members: generations.length > 1 || generations.some(({ state }) => state !== 'Active') ? deps.members(key) : [],
    trustBundleHash: trust.hash,
    propagationMs: deps.trustPropagationMs,
    clearSince,
  };
  return planRotation(rotation, deps.clock.now());
}

/** A step that somebody else's object is in the way of is a trouble to be told of. */
async function tryStep(...step: Parameters<typeof take>): Promise<{ stepped: boolean; blocked: Trouble | undefined }> {
  try {
    return { stepped: await take(...step), blocked: undefined };
  } catch (thrown) {
    return { stepped: false, blocked: troubleOf(thrown) };
  }
}

/** Takes one step, which is one write; false where there is none to take. */
async function take(
  step: Step,
  pair: CaPair | undefined,
  version: number,
  runtime: Runtime,
  deps: AuthorityDeps,
): Promise<boolean> {
  const { resource, definition } = runtime;
  const since = deps.clock.now();
  const fields = { kind: resource.kind, namespace: resource.namespace, name: resource.name };
  switch (step.do) {
    case 'settle':
      return false;
    case 'create':
      if (pair === undefined) return false;
      deps.assertLeading();
      await deps.writeGeneration(resource, { version, state: step.state, since, pair, source: definition.type });
      deps.log.info('CA generation created', {
        ...fields,
        generation: version,
        state: step.state,
        subject: pair.certificate.subjectText,
      });
      deps.tell(resource, {
        type: 'Normal',
        reason: 'CAGenerationCreated',
        action: 'Rotate',
        note: `generation ${version} (${pair.certificate.subjectText}) is ${step.state}`,
      });
      return true;
    case 'move':
      deps.assertLeading();
      await deps.writeGeneration(resource, { ...step.generation, state: step.to, since }, step.generation.secret);
      deps.log.info('CA generation moved', { ...fields, generation: step.generation.version, state: step.to });
      deps.tell(resource, {
        type: 'Normal',
        reason: `CAGeneration${step.to}`,
        action: 'Rotate',
        note: `generation ${step.generation.version} is ${step.to}`,
      });
      return true;
    case 'retire':
      deps.assertLeading();
      await deps.deleteGeneration(step.generation);
      deps.log.info('CA generation retired', { ...fields, generation: step.generation.version });
      deps.tell(resource, {
        type: 'Normal',
        reason: 'CAGenerationRetired',
        action: 'Rotate',
        note: `generation ${step.generation.version} is no longer trusted, its key is deleted`,
      });
      return true;
    default:
      return step satisfies never;
  }
}

/** What is trusted doesn't change because the authority is away. */
async function probeBackend({ backend, view }: Runtime, signal: AbortSignal) {
  let trust: readonly CertificateView[] = [...(view?.trust.anchors.values() ?? [])];
  try {
    trust = await backend.trust(signal);
    await backend.check(signal);
    return { trust, trouble: undefined };
  } catch (thrown) {
    return { trust, trouble: troubleOf(thrown) };
  }
}

function show(key: string, runtime: Runtime, view: AuthorityView, deps: AuthorityDeps): void {
  const before = runtime.view;
  runtime.view = view;
  if (before === undefined || !isDeepStrictEqual(visible(before), visible(view))) deps.wakeCertificates(key);
}

/** The part of a view whose change means that certificates must look again. */
function visible({ trouble, trust, signing, limits, generations }: AuthorityView) {
  return { trouble, hash: trust.hash, signing, limits, generations };
}

async function report(
  resource: CertificateAuthority,
  runtime: Runtime,
  findings: Omit<AuthorityFindings, 'generations' | 'signing'>,
  deps: AuthorityDeps,
): Promise<void> {
  const { generations } = runtime;
  const now = deps.clock.now();
  const signing = signingGeneration(generations, now);
  const status = authorityStatus(resource, { ...findings, generations, signing }, now);
  deps.metrics.show(resource, findings.trouble === undefined, signing && endOf(signing.pair));
  if (isDeepStrictEqual(status, resource.status)) return;
  await deps.writeStatus(resource, status);
  const event = troubleEvent(resource.status, status);
  if (event !== undefined) deps.tell(resource, event);
}

/** Each trouble is told of once, when it begins or turns into another. */
function troubleEvent(before: AuthorityStatus, after: AuthorityStatus): EventText | undefined {
  const trouble = (status: AuthorityStatus) =>
    authorityConditions(status).find(
      ({ type, status: value }) => (type === 'Ready' && value === 'False') || type === 'Stalled',
    );
  const now = trouble(after);
  if (now === undefined || now.message === trouble(before)?.message) return undefined;
  return { type: 'Warning', reason: now.reason, action: 'Verify', note: now.message };
}

async function reportBroken(resource: BrokenCertificateAuthority, deps: AuthorityDeps): Promise<Outcome> {
  const message = `${resource.problem}; it was stored under an older schema, apply it again`;
  const facts = { reason: 'InvalidSpec', message, observedGeneration: resource.generation };
  const wanted = [
    { type: 'Ready', status: 'False', ...facts } as const,
    { type: 'Stalled', status: 'True', ...facts } as const,
  ];
  const conditions = mergeConditions(
    authorityConditions(resource.status),
    wanted,
    AUTHORITY_CONDITIONS,
    deps.clock.now(),
  );
  const status = { ...resource.status, observedGeneration: resource.generation, conditions };
  if (!isDeepStrictEqual(status, resource.status)) await deps.writeStatus(resource, status);
  return { do: 'rest' };
}

/** The next moment at which something may be otherwise without any event. */
function recheckAt(runtime: Runtime, plan: Plan, trouble: Trouble | undefined, deps: AuthorityDeps): Date | undefined {
  const now = deps.clock.now();
  runtime.attempts = trouble === undefined ? 0 : runtime.attempts + 1;
  const probeAt = trouble && new Date(now.getTime() + backoffMs(runtime.attempts, PROBE, deps.clock.random()));
  const ends = runtime.generations.map(({ pair }) => endOf(pair)).filter((end) => end > now);
  const renewals = runtime.generations
    .map(({ pair: { certificate } }) => successorDue(certificate))
    .filter((due) => due > now);
  const planned = plan.step.do === 'settle' ? plan.step.recheckAt : undefined;
  return [probeAt, planned, ...ends, ...renewals].reduce(
    (first, each) => (first === undefined || (each !== undefined && each < first) ? each : first),
    undefined,
  );
}

/** Never reused: a version that was retired, or whose Secret somebody deleted, stays in status. */
function nextVersion(resource: CertificateAuthority, stored: readonly GenerationSecret[]): number {
  const known = [
    ...stored.map(({ version }) => version),
    ...(resource.status.generations ?? []).map(({ version }) => version),
  ];
  return Math.max(0, ...known) + 1;
}

function troubleOf(thrown: unknown): Trouble {
  const error = classify(thrown);
  // Anything but a plain refusal is for the controller's own backoff.
  if (!(error instanceof AuthorityError)) throw error;
  return { code: error.code, message: error.message };
}
