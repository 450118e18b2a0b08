import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { AuthorityError } from '../errors.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Aside } from '../pki/signer.ts';
import { refusalOfTrial } from '../pki/trial.ts';
import type { Run } from '../queue/controller.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import { afterMove, afterRollBack } from './after-step.ts';
import type { Rotating, RotationDeps } from './deps.ts';
import {
  CLOCKS_APART_MS,
  canSign,
  endOf,
  type Generation,
  isInBundle,
  isPresent,
  signingGeneration,
  sourceOf,
} from './generation.ts';
import { MOST_VERSIONS } from './generation-manifest.ts';
import type { GenerationSecret } from './generation-secret.ts';
import { namesakeProblem } from './namesake.ts';
import { narrowedProblem } from './narrowed.ts';
import { planRotation } from './plan.ts';
import type { Member, Plan, Rotation, RotationTerms, Step } from './plan-types.ts';
import { rolledBack } from './roll-back.ts';
import { usesGeneration } from './usage.ts';

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
  rotateAt?: Date,
): Promise<Source> {
  const { backend, generations } = runtime;
  if (backend.keyPair === undefined) return { pair: undefined, version, trouble: undefined };
  const present = generations.filter((each) => isPresent(each, sourceOf(runtime)));
  const latest = latestPair(present, backend.makesCA === true, rotateAt, clock.now());
  try {
    const key = authorityKey(runtime.resource);
    const aside: Aside = (work) => releaseWorker(() => slowWork.run(key, undefined, work, signal));
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

/**
 * The pair after which a backend makes the next one. Where Certwheel makes the CA, none is made after one that was rolled
 * back until its end is near or it is asked for; `rotateAt` is when that was, and what was made since then answers it.
 */
function latestPair(
  present: readonly Generation[],
  makesCA: boolean,
  rotateAt: Date | undefined,
  now: Date,
): CaPair | undefined {
  const able = present.filter(canSign).sort((one, other) => other.version - one.version);
  const pairOf = (each: (typeof able)[number] | undefined) => each && { ...each.path, signer: each.signer };
  if (!makesCA) return pairOf(able[0]);
  // Of the clock that set the moments of the CA certificate, which counts whole seconds.
  const askedMs = rotateAt === undefined ? Number.POSITIVE_INFINITY : Math.floor(rotateAt.getTime() / 1_000) * 1_000;
  const isAsked = askedMs <= now.getTime() && able.every(({ path }) => path.certificate.notBefore.getTime() < askedMs);
  if (isAsked) return undefined;
  const signing = signingGeneration(present, now);
  const isRejected = rolledBack(signing);
  const newest = able[0];
  const holdsOff = signing !== undefined && newest !== undefined && isRejected(newest) && now < replacedBy(signing);
  return pairOf(holdsOff ? newest : able.find((each) => !isRejected(each)));
}

/** When too little is left of a CA to hold its successor off. */
function replacedBy({ path }: Generation): Date {
  const beginMs = path.certificate.notBefore.getTime();
  return new Date(beginMs + ((endOf(path).getTime() - beginMs) * 5) / 6);
}

/** A member that can't be written delays a CA rotation no longer: those that depend on the new CA outnumber it. */
const PROGRESS_DEADLINE_MS = 24 * 3_600_000;
/** And one of another tenant, in a namespace that the operators of a cluster authority may not be able to mend. */
const ELSEWHERE_DEADLINE_MS = 3_600_000;

/**
 * Without a limit a certificate may live as long as its CA. The last signature may bear the time of another replica, whose
 * clock is ahead.
 */
function longestLifeMs({ limits: { maxDurationMs } }: CertificateAuthority): number | undefined {
  return maxDurationMs === undefined ? undefined : maxDurationMs + CLOCKS_APART_MS;
}

/** What is asked of the CA rotation, with its defaults. */
export function termsOf(
  { kind, namespace, caRotation }: CertificateAuthority,
  { trustPropagationMs, controllerNamespace }: Pick<RotationDeps, 'trustPropagationMs' | 'controllerNamespace'>,
): RotationTerms {
  const { propagationMs, progressDeadlineMs, asked, ...rest } = caRotation;
  return {
    ...rest,
    propagationMs: propagationMs ?? trustPropagationMs,
    progressDeadlineMs: progressDeadlineMs ?? PROGRESS_DEADLINE_MS,
    elsewhereDeadlineMs: progressDeadlineMs ?? ELSEWHERE_DEADLINE_MS,
    home: kind === 'ClusterCertificateAuthority' ? controllerNamespace : namespace,
    advance: asked.advance?.wish,
    rollback: asked.rollback?.wish,
  };
}

/** `resource` is the authority as it is stored now, with the annotations of today. */
export function planOf(
  resource: CertificateAuthority,
  runtime: Rotating,
  pair: CaPair | undefined,
  deps: RotationDeps,
): Plan & { readonly certificates: ReadonlyMap<number, number> } {
  const key = authorityKey(resource);
  const { generations } = runtime;
  const source = sourceOf(runtime);
  const isRotating =
    generations.length > 1 || generations.some((each) => each.state !== 'Active' || !isPresent(each, source));
  const trust = bundleOf(generations.filter(isInBundle).map((each) => each.path.anchor));
  const rotation: Rotation = {
    generations,
    source,
    wanted: pair?.id,
    // Asked for only where they count, since there may be many.
    members: isRotating ? deps.members(key) : [],
    trustBundleHash: trust.hash,
    terms: termsOf(resource, deps),
    longestLifeMs: longestLifeMs(runtime.resource),
    proofs: (generation: Generation) => deps.proofs(key, generation),
  };
  const now = deps.clock.now();
  return { ...planRotation(rotation, now), certificates: certificatesOf(rotation, now) };
}

/** How many valid certificates each generation has; none is counted while no CA rotation is under way. */
function certificatesOf({ generations, members }: Rotation, now: Date): ReadonlyMap<number, number> {
  const valid = members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now);
  const count = (each: Generation) => valid.filter((member: Member) => usesGeneration(member, each)).length;
  return new Map(valid.length === 0 ? [] : generations.map((each) => [each.version, count(each)]));
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
      const content = { path, signer, source: definition.type, gate: undefined, rejects: [] };
      const preparedAt = step.state === 'Active' ? since : undefined;
      const generation = { version, state: step.state, since, preparedAt, ...content };
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
    case 'note':
      await deps.writeGeneration(resource, step.generation, inUse);
      return true;
    case 'move': {
      const { generation, to } = step;
      if (to === 'Prepared') await selfTest(generation, since);
      await deps.writeGeneration(resource, afterMove(step, since), inUse);
      recordStep(resource, generation.version, `CAGeneration${to}`, `is ${to}${left}`, deps);
      return true;
    }
    case 'rollBack': {
      const { generation, rejected } = step;
      await deps.writeGeneration(resource, afterRollBack(step, since), inUse);
      const what = `signs${generation.state === 'Active' ? ' on' : ' again'}; generation ${rejected.version} is rolled back`;
      recordStep(resource, generation.version, 'CAGenerationRolledBack', what, deps);
      return true;
    }
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

/** Proves that what was stored can sign, before anything is told to trust it. */
async function selfTest({ path, signer, secret }: Generation, now: Date): Promise<void> {
  if (signer === undefined) return;
  const refusal = await refusalOfTrial(path, signer, `Secret ${secret.namespace}/${secret.name}`, now);
  if (refusal !== undefined) throw new AuthorityError('CAPairRefused', refusal.message, { cause: refusal });
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
