import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { caKeyId } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { CrlState } from '../revocation/crl/known-crls.ts';
import type { Generation } from '../rotation/generation.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import { coveredBy } from './crl-file.ts';
import { nameOf } from './desired.ts';
import { isOurs } from './judge.ts';
import { isOfSpec, NO_VERIFIER, notKnownYet } from './proofs.ts';
import type { Survey, Surveyed } from './survey.ts';

/** The moment of what is so now, and may have been so for long. */
const LONG_AGO = new Date(0);

/**
 * Whether the CRL of a CA generation is published, and stands in each object of a target with `crl`: verifiers that demand one
 * refuse the certificates of a CA without it. An object that holds a former CRL of that CA counts. Those of the CAs above it
 * are demanded too where the CA that signs now, whose chains are `signing`, has them all: verifiers may check every CA.
 */
export function crlProofs(
  resource: Pick<CertificateAuthority, 'uid' | 'generation' | 'trustTargets'>,
  { version, path: { chain } }: Pick<Generation, 'version' | 'path'>,
  { state, survey, signing }: CrlEvidence,
): readonly TrustProof[] {
  const subject = `the CRL of CA generation ${version}`;
  const published: TrustProof = state?.crls.has(version)
    ? { subject, since: LONG_AGO, waiting: undefined }
    : {
        subject,
        since: undefined,
        waiting: state?.problems.get(version) ?? state?.unread ?? 'it is not published yet',
        ...(state === undefined ? { isUnseen: true } : {}),
      };
  const isWanted = resource.trustTargets.some(({ crlKey }) => crlKey !== undefined);
  if (!isWanted || published.since === undefined) return [published];
  if (!isOfSpec(survey, resource)) return [published, notKnownYet('the CRLs in trust targets', survey)];
  const covers = survey.crls?.set.covers ?? new Set();
  const isWhole = signing.some((each) => each.every((ca) => covers.has(caKeyId(ca))));
  const needed = isWhole ? chain : chain.slice(0, 1);
  const upper = needed
    .slice(1)
    .filter((ca) => !covers.has(caKeyId(ca)))
    .map(({ subjectText }) => ({
      subject: `the CRL of ${subjectText}`,
      since: undefined,
      waiting: 'put it into a ConfigMap and name that in spec.revocation.crl.upper',
    }));
  const known = needed.map(caKeyId).filter((id) => covers.has(id));
  const inTargets = survey.targets.flatMap(({ target: { crlKey }, objects }) =>
    crlKey === undefined
      ? []
      : objects
          .filter(({ trouble }) => trouble?.code !== NO_VERIFIER)
          .map((each) => objectProof(each, crlKey, known, survey)),
  );
  return [published, ...upper, ...inTargets];
}

/** What is known of CRLs. */
interface CrlEvidence {
  readonly state: CrlState | undefined;
  readonly survey: Survey | undefined;
  readonly signing: readonly (readonly CertificateView[])[];
}

function objectProof(
  { object, view, trouble }: Surveyed,
  key: string,
  needed: readonly string[],
  { owner, crls }: Survey,
): TrustProof {
  const subject = `${nameOf(object)}, key ${key}`;
  const held = view !== undefined && isOurs(view, owner) ? coveredBy(view.stores, key) : undefined;
  if (held !== undefined && needed.length > 0 && needed.every((id) => held.has(id)))
    return { subject, since: LONG_AGO, waiting: undefined };
  const [tooLarge] = crls?.tooLarge ?? [];
  return { subject, since: undefined, waiting: trouble?.message ?? tooLarge ?? 'it does not hold the CRL yet' };
}

/** Differs where the proofs may differ, or the condition of the authority. */
export function crlNews(survey: Survey | undefined): string {
  const { crls, targets = [] } = survey ?? {};
  if (crls === undefined) return '';
  const { set, refused, tooLarge, unread } = crls;
  const held = targets.flatMap(({ target: { crlKey }, objects }) =>
    crlKey === undefined
      ? []
      : objects.map(({ view, object }) => [nameOf(object), ...coveredBy(view?.stores ?? '', crlKey)].join(' ')),
  );
  const missing = set.missing.map(({ version, ca }) => `${version} ${caKeyId(ca)}`);
  return JSON.stringify([missing, refused, tooLarge, unread, held]);
}
