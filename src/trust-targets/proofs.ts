import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { toRfc3339 } from '../api/conditions.ts';
import { earliest } from '../api/moments.ts';
import { isInCluster, type TrustTarget } from '../api/trust-targets.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import { behindMessage, type Delivery, deliveredAt, podsBehind } from './delivery.ts';
import { nameOf } from './desired.ts';
import { heldSince } from './judge.ts';
import type { Survey, Surveyed } from './survey.ts';

/** Places without a verifier: no workload can be in a namespace that isn't there, or is going. */
export const NO_VERIFIER = 'TrustTargetNoNamespace';

/**
 * What shows of the targets of an authority that they trust one CA certificate: one proof for each object. An object that
 * holds the certificate counts, also where it lacks others that it should hold. A target that demands Probed has its proof from
 * its verifiers, and here that it is written.
 */
export function targetProofs(
  resource: Pick<CertificateAuthority, 'name' | 'uid' | 'generation' | 'trustTargets'>,
  survey: Survey | undefined,
  fingerprint: string,
  delivery: Delivery,
  now: Date,
): readonly TrustProof[] {
  if (resource.trustTargets.length === 0) return [];
  if (!isOfSpec(survey, resource)) return [notKnownYet(`the trust targets of ${resource.name}`, survey)];
  return survey.targets.flatMap(({ target, objects, trouble }) => [
    ...(trouble === undefined
      ? []
      : [{ subject: `target ${target.name}`, since: undefined, waiting: trouble.message }]),
    ...objects
      .filter((each) => each.trouble?.code !== NO_VERIFIER)
      .map((each) => deliveryProof(each, objectProof(each, survey, fingerprint, now), target, delivery, now)),
  ]);
}

/** A survey of a former spec may lack a target. */
export function isOfSpec(
  survey: Survey | undefined,
  { uid, generation }: Pick<CertificateAuthority, 'uid' | 'generation'>,
): survey is Survey {
  return survey?.owner.uid === uid && survey.owner.generation === generation;
}

/** What shows nothing before the targets of the present spec are surveyed. */
export function notKnownYet(subject: string, survey: Survey | undefined): TrustProof {
  const isUnseen = survey === undefined;
  return { subject, since: undefined, waiting: 'they are not known yet', ...(isUnseen ? { isUnseen } : {}) };
}

function objectProof(
  { object, view, trouble }: Surveyed,
  { owner }: Survey,
  fingerprint: string,
  now: Date,
): TrustProof {
  const subject = nameOf(object);
  const since = view && heldSince(view, owner, fingerprint, now);
  if (since !== undefined) return { subject, since, waiting: undefined };
  return { subject, since, waiting: trouble?.message ?? 'it does not hold the CA certificate yet' };
}

/** The same, where the target demands that the object has reached the Pods that mount it. */
function deliveryProof(
  { object }: Surveyed,
  written: TrustProof,
  { requiredProof }: Pick<TrustTarget, 'requiredProof'>,
  delivery: Delivery,
  now: Date,
): TrustProof {
  const { subject, since } = written;
  if (since === undefined || requiredProof !== 'Delivered') return written;
  const unknown = delivery.seesPods && isInCluster(object) ? delivery.unknownPods(object.namespace) : undefined;
  if (unknown !== undefined) return { subject, since: undefined, waiting: unknown.message, isUnseen: true };
  const behind = podsBehind(object, since, delivery);
  if (behind.length > 0) return { subject, since: undefined, waiting: behindMessage(behind) };
  const delivered = deliveredAt(since, delivery);
  if (delivered <= now) return { subject, since: delivered, waiting: undefined };
  const until = toRfc3339(delivered);
  const waiting = isInCluster(object)
    ? `the kubelet has until ${until} to bring it into the Pods that mount it`
    : `the provider has until ${until} to bring it to all of its servers`;
  return { subject, since: undefined, waiting };
}

/** When the next object of a survey is delivered, so that its proof changes by time alone. */
export function nextDelivery({ targets, owner, bundle }: Survey, delivery: Delivery, now: Date): Date | undefined {
  const moments = targets
    .filter(({ target }) => target.requiredProof === 'Delivered')
    .flatMap(({ objects }) => objects)
    .flatMap(({ view }) =>
      view === undefined ? [] : [...bundle.anchors.keys()].map((each) => heldSince(view, owner, each, now)),
    )
    .map((since) => since && deliveredAt(since, delivery))
    .filter((moment) => moment !== undefined && moment > now);
  return earliest(moments);
}
