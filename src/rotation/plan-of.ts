import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { bundleOf } from '../pki/bundle.ts';
import { caPath } from '../pki/ca.ts';
import type { Rotating, RotationDeps } from './deps.ts';
import { CLOCKS_APART_MS, endOf, type Generation, isPresent, sourceOf } from './generation.ts';
import { planRotation } from './plan.ts';
import { planAnchors } from './plan-anchors.ts';
import type { Member, Plan, Rotation, RotationTerms } from './plan-types.ts';
import { isRefused } from './requests.ts';
import type { Candidate } from './source.ts';
import { anchorsToFollow, ownTrust, publishedTrust } from './trusted.ts';
import { usesGeneration } from './usage.ts';

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
  { kind, namespace, caRotation, status }: CertificateAuthority,
  { trustPropagationMs, controllerNamespace }: Pick<RotationDeps, 'trustPropagationMs' | 'controllerNamespace'>,
): RotationTerms {
  const { propagationMs, progressDeadlineMs, asked, reissue: _, ...rest } = caRotation;
  return {
    ...rest,
    propagationMs: propagationMs ?? trustPropagationMs,
    progressDeadlineMs: progressDeadlineMs ?? PROGRESS_DEADLINE_MS,
    elsewhereDeadlineMs: progressDeadlineMs ?? ELSEWHERE_DEADLINE_MS,
    home: kind === 'ClusterCertificateAuthority' ? controllerNamespace : namespace,
    advance: asked.advance?.wish,
    rollback: isRefused(asked.rollback, status.caRotation?.requests) ? undefined : asked.rollback?.wish,
  };
}

/** `resource` is the authority as it is stored now, with the annotations of today. */
export function planOf(
  resource: CertificateAuthority,
  runtime: Rotating,
  candidate: Candidate | undefined,
  deps: RotationDeps,
): Plan & { readonly certificates: ReadonlyMap<number, number> } {
  const key = authorityKey(resource);
  const { generations, definition } = runtime;
  const source = sourceOf(runtime);
  const isElsewhere = source === undefined;
  const stated = anchorsToFollow(runtime)?.map((each) => caPath([each]).id);
  const isMoving = generations.some((each) => each.state !== 'Active' || !isPresent(each, definition.type));
  const isUnstated = ({ path }: Generation) => stated?.includes(path.id) === false;
  const isOther = isElsewhere ? candidate !== undefined || generations.some(isUnstated) : generations.length > 1;
  const now = deps.clock.now();
  const isOver = generations.length > 0 && generations.every(({ path }) => endOf(path) <= now);
  const trust = bundleOf(publishedTrust(runtime));
  const own = new Set(ownTrust(runtime).map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const further = (runtime.fallback?.further ?? []).map(({ fingerprintSHA256 }) => fingerprintSHA256);
  const rotation: Rotation = {
    generations,
    source: definition.type,
    stated: stated && new Set(stated),
    wanted: candidate?.id,
    issuerRef: candidate?.issuerRef,
    // Asked for only where they count, since there may be many.
    members: isMoving || isOther || (isOver && further.length > 0) ? deps.members(key) : [],
    trustBundleHash: trust.hash,
    further: new Set(further.filter((each) => !own.has(each))),
    terms: termsOf(resource, deps),
    longestLifeMs: longestLifeMs(runtime.resource),
    proofs: (generation: Generation) => deps.proofs(key, generation),
    crlProofs: (generation: Generation) => deps.crlProofs(key, generation),
  };
  const plan = isElsewhere ? planAnchors(rotation, now) : planRotation(rotation, now);
  return { ...plan, certificates: certificatesOf(rotation, now) };
}

/** How many valid certificates each generation has; none is counted while no CA rotation is under way. */
function certificatesOf({ generations, members }: Rotation, now: Date): ReadonlyMap<number, number> {
  const valid = members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now);
  const count = (each: Generation) => valid.filter((member: Member) => usesGeneration(member, each)).length;
  return new Map(valid.length === 0 ? [] : generations.map((each) => [each.version, count(each)]));
}
