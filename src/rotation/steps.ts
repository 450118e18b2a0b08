import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Aside } from '../pki/signer.ts';
import type { Run } from '../queue/controller.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import type { Rotating, RotationDeps } from './deps.ts';
import { CLOCKS_APART_MS, canSign, isPresent, sourceOf } from './generation.ts';
import { MOST_VERSIONS } from './generation-manifest.ts';
import type { GenerationSecret } from './generation-secret.ts';
import { namesakeProblem } from './namesake.ts';
import { narrowedProblem } from './narrowed.ts';
import { planRotation } from './plan.ts';
import type { Plan, Step } from './plan-types.ts';

/** The pair that is to sign, and the version that it would get as a new generation. */
export interface Source {
  readonly pair: CaPair | undefined;
  readonly version: number;
  readonly trouble: Trouble | undefined;
}

/** The CA pair that is to sign, from wherever this authority has it. */
export async function readSource(
  runtime: Rotating,
  version: number,
  { consumers, clock, log, slowWork }: Pick<RotationDeps, 'consumers' | 'clock' | 'log' | 'slowWork'>,
  { signal, releaseWorker }: Run,
): Promise<Source> {
  const { backend, generations } = runtime;
  if (backend.keyPair === undefined) return { pair: undefined, version, trouble: undefined };
  const newest = generations
    .filter((each) => isPresent(each, sourceOf(runtime)))
    .filter(canSign)
    .sort((one, other) => other.version - one.version)[0];
  try {
    const key = authorityKey(runtime.resource);
    const aside: Aside = (work) => releaseWorker(() => slowWork.run(key, undefined, work, signal));
    const latest = newest && { ...newest.path, signer: newest.signer };
    const pair = await backend.keyPair(latest, version, signal, aside);
    const served = () => consumers(runtime.resource);
    const problem =
      namesakeProblem(pair, generations) ?? (await narrowedProblem(pair, generations, served, clock.now()));
    if (problem !== undefined)
      return { pair: undefined, version, trouble: { code: 'CAPairRefused', message: problem } };
    return { pair, version, trouble: undefined };
  } catch (thrown) {
    return { pair: undefined, version, trouble: troubleOf(reportable(thrown, log)) };
  }
}

/** A member that can't be written delays a CA rotation no longer: those that depend on the new CA outnumber it. */
const PROGRESS_DEADLINE_MS = 24 * 3_600_000;

/**
 * Without a limit a certificate may live as long as its CA. The last signature may bear the time of another replica, whose
 * clock is ahead.
 */
function longestLifeMs({ limits: { maxDurationMs } }: CertificateAuthority): number | undefined {
  return maxDurationMs === undefined ? undefined : maxDurationMs + CLOCKS_APART_MS;
}

export function planOf(key: string, runtime: Rotating, pair: CaPair | undefined, deps: RotationDeps): Plan {
  const { generations, clearSince } = runtime;
  const source = sourceOf(runtime);
  const isRotating =
    generations.length > 1 || generations.some((each) => each.state !== 'Active' || !isPresent(each, source));
  const trust = bundleOf(generations.map((each) => each.path.anchor));
  const rotation = {
    generations,
    source,
    wanted: pair?.id,
    // Asked for only where they count, since there may be many.
    members: isRotating ? deps.members(key) : [],
    trustBundleHash: trust.hash,
    propagationMs: deps.trustPropagationMs,
    progressDeadlineMs: PROGRESS_DEADLINE_MS,
    longestLifeMs: longestLifeMs(runtime.resource),
    clearSince,
  };
  return planRotation(rotation, deps.clock.now());
}

/**
 * Takes a step, unless others provoke one step after the other. A step that the API server refuses, or that another
 * object stands in the way of, is a trouble for the status.
 */
export async function tryStep(
  { step, leftBehind }: Plan,
  source: Source,
  runtime: Rotating,
  deps: RotationDeps,
): Promise<{ stepped: boolean; blocked: Trouble | undefined }> {
  if (step.do === 'settle') return { stepped: false, blocked: undefined };
  if (deps.registry.paceOf(runtime.resource).steps.take(deps.clock.monotonicMs()) > 0)
    return { stepped: false, blocked: { code: 'SecretContested', message: CONTESTED } };
  try {
    return { stepped: await take(step, without(leftBehind, step.do), source, runtime, deps), blocked: undefined };
  } catch (thrown) {
    return { stepped: false, blocked: troubleOf(reportable(thrown, deps.log)) };
  }
}

const CONTESTED =
  'the Secrets of its CA generations are changed or deleted again and again; the audit log of the API server names the writer';

/** The members for which a step didn't wait any longer. */
function without(members: readonly string[], step: Step['do']): string {
  if (members.length === 0) return '';
  const such = `${members.length} certificates, such as ${members.slice(0, 3).join(', ')}`;
  return step === 'retire'
    ? `, though it signed ${such}, that end later than any that this authority has issued with it`
    : `, though ca.crt could not be written in time for ${such}`;
}

/** Takes one step, which is one write; false where there is no pair for it. */
async function take(
  step: Exclude<Step, { do: 'settle' }>,
  left: string,
  source: Source,
  runtime: Rotating,
  deps: RotationDeps,
): Promise<boolean> {
  const { resource, definition } = runtime;
  const since = deps.clock.now();
  const inUse = runtime.generations.map(({ secret }) => secret.uid);
  deps.ownership.assert(authorityKey(resource));
  switch (step.do) {
    case 'create': {
      const { pair, version } = source;
      if (pair === undefined) return false;
      const { signer, ...path } = pair;
      const generation = { version, state: step.state, since, path, signer, source: definition.type };
      await deps.createGeneration(resource, generation, inUse);
      recordStep(resource, version, 'CAGenerationCreated', `(${path.certificate.subjectText}) is ${step.state}`, deps);
      return true;
    }
    case 'mark': {
      const { version, path, mark } = step.generation;
      await deps.writeGeneration(resource, step.generation, inUse);
      if (mark !== 'none') return true;
      const which = `(${path.certificate.subjectText}, SHA-256 ${path.certificate.fingerprintSHA256})`;
      recordStep(resource, version, 'CAGenerationMarked', `${which} had no mark of its own, and is taken over`, deps);
      return true;
    }
    case 'move':
      await deps.writeGeneration(resource, { ...step.generation, state: step.to, since }, inUse);
      recordStep(resource, step.generation.version, `CAGeneration${step.to}`, `is ${step.to}${left}`, deps);
      return true;
    case 'retire':
      await deps.deleteGeneration(step.generation);
      recordStep(
        resource,
        step.generation.version,
        'CAGenerationRetired',
        `is no longer trusted${canSign(step.generation) ? ', its key is deleted' : ''}${left}`,
        deps,
      );
      return true;
    default:
      return step satisfies never;
  }
}

function recordStep(
  resource: CertificateAuthority,
  version: number,
  reason: string,
  what: string,
  deps: RotationDeps,
): void {
  const { kind, namespace, name } = resource;
  const note = `generation ${version} ${what}`;
  deps.log.info('CA rotation', { kind, namespace, name, generation: version, reason, detail: note });
  deps.recordEvent(resource, { type: 'Normal', reason, action: 'Rotate', note });
}

/**
 * Never reused: a version that was retired, or whose Secret was deleted, stays in status. What appeared from outside takes
 * no more than the versions that it has; where the last one there is was taken, the first that is free follows.
 */
export function nextVersion(
  { status }: Pick<CertificateAuthority, 'status'>,
  { own, foreign }: Readonly<Record<'own' | 'foreign', readonly Pick<GenerationSecret, 'version'>[]>>,
): number {
  const known = [...own, ...(status.generations ?? [])].map(({ version }) => version);
  const taken = new Set([...known, ...foreign.map(({ version }) => version)]);
  let next = Math.max(0, ...known) + 1;
  while (taken.has(next)) next += 1;
  if (next > MOST_VERSIONS) for (next = 1; taken.has(next); ) next += 1;
  return next;
}
