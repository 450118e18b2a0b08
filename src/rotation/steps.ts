import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { AuthorityError } from '../errors.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { refusalOfTrial } from '../pki/trial.ts';
import type { Run } from '../queue/controller.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import { afterMove, afterRollBack } from './after-step.ts';
import type { Rotating, RotationDeps } from './deps.ts';
import { type Generation, holdsKey } from './generation.ts';
import { MOST_VERSIONS } from './generation-manifest.ts';
import type { GenerationSecret } from './generation-secret.ts';
import type { Plan, Step } from './plan-types.ts';
import type { Source } from './source.ts';

/**
 * Takes a step, unless others provoke one step after the other. A step that the API server refuses, or that another
 * object stands in the way of, is a trouble for the status.
 */
export async function tryStep(
  { step, leftBehind }: Plan,
  source: Source,
  runtime: Rotating,
  deps: RotationDeps,
  run: Run,
): Promise<{ stepped: boolean; blocked: Trouble | undefined }> {
  if (step.do === 'settle') return { stepped: false, blocked: undefined };
  // Each roll-back is asked for by a person, who can't wait for it.
  if (step.do !== 'rollBack' && deps.registry.paceOf(runtime.resource).steps.take(deps.clock.monotonicMs()) > 0)
    return { stepped: false, blocked: { code: 'SecretContested', message: CONTESTED } };
  try {
    const stepped = await take(step, source, runtime, deps, run);
    const isOverruling = stepped && leftBehind.length > 0;
    if (isOverruling && (step.do === 'move' || step.do === 'retire')) recordOverruled(step, leftBehind, runtime, deps);
    return { stepped, blocked: undefined };
  } catch (thrown) {
    return { stepped: false, blocked: troubleOf(reportable(thrown, deps.log)) };
  }
}

const CONTESTED =
  'one step of its CA rotation follows the other: either it is asked for again and again, or the Secrets of its CA generations are changed or deleted again and again; the audit log of the API server names the writer';

/** So many are named. */
const NAMED = 3;

/** The step didn't wait any longer for these. */
function recordOverruled(
  step: Extract<Step, { do: 'move' | 'retire' }>,
  leftBehind: readonly string[],
  { resource }: Rotating,
  deps: RotationDeps,
): void {
  const { version } = step.generation;
  const named = leftBehind.slice(0, NAMED).join(', ');
  const note =
    step.do === 'retire'
      ? `generation ${version} is no longer trusted, though it signed ${leftBehind.length} certificates, such as ${named}, that end later than any that this authority has issued with it`
      : `generation ${version} goes on, though it was not shown in time to be trusted by all: ${leftBehind.length}, such as ${named}`;
  deps.recordEvent(resource, { type: 'Warning', reason: 'CARotationOverruled', action: 'Rotate', note });
  auditStep(resource, step.generation, 'CARotationOverruled', note, deps);
  deps.metrics.overruled(resource, step.do === 'retire' ? 'Retired' : step.to);
}

/** Takes one step, which is one write; false where there is no pair for it. */
async function take(
  step: Exclude<Step, { do: 'settle' }>,
  source: Source,
  runtime: Rotating,
  deps: RotationDeps,
  run: Run,
): Promise<boolean> {
  const { resource, definition } = runtime;
  const since = deps.clock.now();
  const inUse = runtime.generations.map(({ secret }) => secret.uid);
  deps.ownership.assert(authorityKey(resource));
  switch (step.do) {
    case 'create': {
      const { pair, version } = source;
      if (pair === undefined) return false;
      const { signer, issuerRef, ...path } = pair;
      const content = { path, signer, issuerRef, source: definition.type, gate: undefined, rejects: [] };
      const preparedAt = step.state === 'Active' ? since : undefined;
      const generation = { version, state: step.state, since, preparedAt, ...content };
      await deps.createGeneration(resource, generation, inUse);
      recordStep(
        resource,
        generation,
        'CAGenerationCreated',
        `(${path.certificate.subjectText}) is ${step.state}`,
        deps,
      );
      return true;
    }
    case 'mark': {
      const { path, mark } = step.generation;
      await deps.writeGeneration(resource, step.generation, inUse);
      if (mark !== 'none') return true;
      const which = `(${path.certificate.subjectText}, SHA-256 ${path.certificate.fingerprintSHA256})`;
      recordStep(
        resource,
        step.generation,
        'CAGenerationMarked',
        `${which} had no mark of its own, and is taken over`,
        deps,
      );
      return true;
    }
    case 'note':
      await deps.writeGeneration(resource, step.generation, inUse);
      return true;
    case 'move': {
      const { generation, to } = step;
      if (to === 'Prepared') await selfTest(generation, runtime, since, run);
      await deps.writeGeneration(resource, afterMove(step, since), inUse);
      recordStep(resource, generation, `CAGeneration${to}`, `is ${to}`, deps);
      return true;
    }
    case 'rollBack': {
      const { generation, rejected } = step;
      await deps.writeGeneration(resource, afterRollBack(step, since), inUse);
      const what = `signs${generation.state === 'Active' ? ' on' : ' again'}; generation ${rejected.version} is rolled back`;
      recordStep(resource, generation, 'CAGenerationRolledBack', what, deps);
      return true;
    }
    case 'retire':
      await deps.deleteGeneration(step.generation);
      recordStep(
        resource,
        step.generation,
        'CAGenerationRetired',
        `is no longer trusted${holdsKey(step.generation) ? ', its key is deleted' : ''}`,
        deps,
      );
      return true;
    default:
      return step satisfies never;
  }
}

/** Proves that what was stored can sign, before anything is told to trust it. */
async function selfTest(
  { path, signer, issuerRef, secret }: Generation,
  { backend }: Rotating,
  now: Date,
  { releaseWorker, signal }: Run,
): Promise<void> {
  if (issuerRef !== undefined) await releaseWorker(async () => backend.tryToSign?.(issuerRef, signal));
  if (signer === undefined) return;
  const refusal = await refusalOfTrial(path, signer, `Secret ${secret.namespace}/${secret.name}`, now);
  if (refusal !== undefined) throw new AuthorityError('CAPairRefused', refusal.message, { cause: refusal });
}

/** A person, or another program, took a CA away: with it goes its key, and the trust in all that it signed. */
export function recordDeleted({ resource }: Rotating, generation: Generation, deps: RotationDeps): void {
  const { kind, namespace, name } = resource;
  const { version, state, path, secret } = generation;
  const reason = 'CAGenerationDeleted';
  const detail = `generation ${version} (${path.certificate.subjectText}), which was ${state}, is gone: another party deleted Secret ${secret.namespace}/${secret.name} or took its labels, so its CA leaves every ca.crt at once; the audit log of the API server names who did`;
  deps.log.warn('CA generation deleted', { kind, namespace, name, generation: version, reason, detail });
  auditStep(resource, generation, reason, detail, deps);
  deps.recordEvent(resource, { type: 'Warning', reason, action: 'Rotate', note: detail });
}

type Stepped = Pick<Generation, 'version' | 'path'>;

/** Issuer is the CA certificate itself: the lines of its certificates name it so. */
function auditStep(
  resource: CertificateAuthority,
  { version, path: { certificate } }: Stepped,
  reason: string,
  detail: string,
  { audit }: RotationDeps,
): void {
  audit?.write({
    event: 'caStep',
    authority: authorityKey(resource),
    uid: resource.uid,
    generation: version,
    ...caFacts(certificate),
    reason,
    detail,
  });
}

function caFacts({ serialNumber, subject, publicKeyPin, fingerprintSHA256, notBefore, notAfter }: CertificateView) {
  return { serial: serialNumber, names: subject, keyPin: publicKeyPin, issuer: fingerprintSHA256, notBefore, notAfter };
}

function recordStep(
  resource: CertificateAuthority,
  generation: Stepped,
  reason: string,
  what: string,
  deps: RotationDeps,
): void {
  const { kind, namespace, name } = resource;
  const { version } = generation;
  const note = `generation ${version} ${what}`;
  deps.log.info('CA rotation', { kind, namespace, name, generation: version, reason, detail: note });
  auditStep(resource, generation, reason, note, deps);
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
