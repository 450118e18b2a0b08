import { isDeepStrictEqual } from 'node:util';
import {
  type AnyCertificateAuthority,
  authorityKey,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { SourceRest } from '../pki/ca.ts';
import type { Run } from '../queue/controller.ts';
import type { Generation } from '../rotation/generation.ts';
import type { GenerationSecret } from '../rotation/generation-secret.ts';
import { planOf } from '../rotation/plan-of.ts';
import type { Step } from '../rotation/plan-types.ts';
import { type Provenance, provenanceOf } from '../rotation/provenance.ts';
import { readSource } from '../rotation/source.ts';
import { nextVersion, recordDeleted, tryStep } from '../rotation/steps.ts';
import { MOST_IN_USE } from '../rotation/superseded.ts';
import { statedNow } from '../rotation/trusted.ts';
import type { Trouble } from '../trouble.ts';
import type { AuthorityDeps } from './deps.ts';
import type { Runtime } from './runtime.ts';

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
export async function advance(
  resource: CertificateAuthority,
  runtime: Runtime,
  deps: AuthorityDeps,
  run: Run,
): Promise<Advance | undefined> {
  const key = authorityKey(resource);
  // Its status as it is now, which that of the runtime isn't.
  const evidence = { reported: resource.status.generations ?? [], members: () => deps.members(key) };
  const observe = (stored = deps.generationSecrets(key)) => provenanceOf(stored, evidence, deps.clock.now());
  const stored = deps.generationSecrets(key);
  const seen = await observe(stored);
  for (const each of deletedOf(resource, runtime, stored)) recordDeleted(runtime, each, deps);
  runtime.generations = seen.generations;
  runtime.alternating = runtime.alternation.note(statedNow(runtime), deps.clock.now());
  const rotateAt = resource.caRotation.asked.rotate?.wish;
  const source = await readSource(runtime, nextVersion(resource, seen), deps, run, rotateAt);
  // The key of a CA may have been waited for.
  if (deps.registry.current(deps.find(key)) !== runtime) return undefined;
  const planned = () => planOf(resource, runtime, source.pair, deps);
  let plan = planned();
  if (isFinal(plan.step)) {
    await deps.readAuthority(resource);
    const stored = deps.find(key);
    if (stored === undefined || deps.registry.current(stored) !== runtime || !asksTheSame(stored, resource))
      return undefined;
    plan = planned();
  }
  const { stepped, blocked } = await tryStep(plan, source, runtime, deps, run);
  if (stepped && plan.step.do === 'retire')
    runtime.retired = [...(runtime.retired ?? []), plan.step.generation.secret.uid].slice(-MOST_IN_USE);
  if (stepped) runtime.generations = (await observe()).generations;
  const { problem, foreign } = seen;
  const unreadable = problem === undefined ? undefined : { code: 'CAPairRefused' as const, message: problem };
  // What comes next, for people. A step that can't be written would else be said to come soon, for ever.
  const halted = blocked === undefined ? plan : { ...plan, next: undefined, hold: undefined };
  const next = stepped ? planned() : halted;
  return { plan: next, stepped, refused: source.trouble ?? blocked ?? unreadable, rest: source.pair?.rest, foreign };
}

/** A key that is deleted doesn't come back, and what a new CA signs stays signed; a watch may be behind a roll-back or a pause. */
function isFinal(step: Step): boolean {
  return step.do === 'retire' || (step.do === 'move' && step.to === 'Active');
}

function asksTheSame(one: AnyCertificateAuthority, { caRotation }: CertificateAuthority): boolean {
  return !isBrokenAuthority(one) && isDeepStrictEqual(one.caRotation, caRotation);
}

/**
 * What was in use at the last look, and is stored no more, though it was not retired. This process remembers what it has retired
 * itself, since the watch may not have brought that status yet; what another replica has retired stands in the status.
 */
function deletedOf(
  resource: CertificateAuthority,
  { generations, retired }: Pick<Runtime, 'generations' | 'retired'>,
  stored: readonly Pick<GenerationSecret, 'secret'>[],
): readonly Generation[] {
  const kept = new Set([...stored.map(({ secret }) => secret.uid), ...(retired ?? [])]);
  const reported = new Map(resource.status.generations?.map(({ version, state }) => [version, state]));
  return generations.filter(({ version, secret }) => !kept.has(secret.uid) && reported.get(version) !== 'Retired');
}
