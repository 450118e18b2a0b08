import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import { nameOf } from './desired.ts';
import { heldSince } from './judge.ts';
import type { Survey, Surveyed } from './survey.ts';

/** Places without a verifier: no workload can be in a namespace that isn't there, or is going. */
const NO_VERIFIER = 'TrustTargetNoNamespace';

/**
 * What shows of the targets of an authority that they trust one CA certificate: one proof for each object. An object that
 * holds the certificate counts, also where it lacks others that it should hold.
 */
export function targetProofs(
  resource: Pick<CertificateAuthority, 'name' | 'trustTargets'>,
  survey: Survey | undefined,
  fingerprint: string,
  now: Date,
): readonly TrustProof[] {
  if (resource.trustTargets.length === 0) return [];
  if (survey === undefined)
    return [{ subject: `the trust targets of ${resource.name}`, since: undefined, waiting: 'they are not known yet' }];
  return survey.targets.flatMap(({ target, objects, trouble }) => [
    ...(trouble === undefined
      ? []
      : [{ subject: `target ${target.name}`, since: undefined, waiting: trouble.message }]),
    ...objects
      .filter((each) => each.trouble?.code !== NO_VERIFIER)
      .map((each) => objectProof(each, survey, fingerprint, now)),
  ]);
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
