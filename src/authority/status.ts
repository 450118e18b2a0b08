import { authorityConditions, type CertificateAuthority } from '../api/certificate-authority.ts';
import { heldBy, mergeConditions, type NewCondition, toRfc3339 } from '../api/conditions.ts';
import type { AuthorityStatus, TrustStatus, VerifierStatus } from '../api/generated/types.ts';
import { wholeSecondsUp } from '../api/moments.ts';
import { readable } from '../foreign-text.ts';
import { lastToEnd } from '../pki/ca-life.ts';
import type { CertificateView } from '../pki/certificate.ts';
import {
  REVOCATION_STALLED,
  type RevocationFindings,
  revocationCondition,
  revocationStatus,
} from '../revocation/status.ts';
import { foreignCondition } from '../rotation/foreign-condition.ts';
import { endOf, type Generation, isLeaving } from '../rotation/generation.ts';
import type { GenerationSecret } from '../rotation/generation-secret.ts';
import type { Trouble } from '../trouble.ts';
import { CRLS_INCOMPLETE } from '../trust-targets/target-crls.ts';
import { acceptsRogue } from './accepts-rogue.ts';
import type { Demand } from './demand.ts';
import { demandStatus, quotaShort } from './demand-status.ts';
import { FALLBACK_READY } from './fallback-status.ts';
import { refusedByVerifiers } from './refused-by-verifiers.ts';
import { describeGenerations, type RotationFindings, rotatingCondition, rotationStatus } from './rotation-status.ts';
import { unrestricted } from './unrestricted.ts';

/** The types of conditions that Certwheel writes. */
export const AUTHORITY_CONDITIONS: readonly string[] = [
  'Ready',
  'Stalled',
  'Rotating',
  'QuotaShort',
  'RefusedByVerifiers',
  'ForeignGeneration',
  'Unrestricted',
  'VerifierAcceptsRogue',
  FALLBACK_READY,
  REVOCATION_STALLED,
  CRLS_INCOMPLETE,
];

/** The schema takes no more, and would refuse the whole status. */
const LONGEST_LEFT_ASIDE = 1_024;

export interface AuthorityFindings extends RotationFindings {
  /** Why nothing can be issued. */
  readonly trouble: Trouble | undefined;
  /** Why a new CA pair, or a stored one, was refused while the last good one goes on. */
  readonly refused: Trouble | undefined;
  /** The CA certificates that verifiers must accept. */
  readonly trusted: readonly CertificateView[];
  /** See SourceRest; of the source as it is now. */
  readonly leftAside: readonly string[];
  /** See Provenance. */
  readonly foreign: readonly GenerationSecret[];
  /** When an authority that can't be asked is probed again. */
  readonly nextProbeAt: Date | undefined;
  readonly demand: Demand;
  /** See fallbackReady. */
  readonly fallback?: readonly NewCondition[] | undefined;
  /** See AuthorityDeps. */
  readonly trustStatus?: TrustStatus | undefined;
  /** See Authority. */
  readonly verified?: string | undefined;
  readonly warning?: string | undefined;
  readonly verifiers?: readonly VerifierStatus[] | undefined;
  readonly revocation?: RevocationFindings | undefined;
  /** See crlCondition. */
  readonly crls?: readonly NewCondition[];
}

/** What there is to say about an authority; equal input gives an equal status. */
export function authorityStatus(
  resource: CertificateAuthority,
  findings: AuthorityFindings,
  now: Date,
): AuthorityStatus {
  const { trouble, refused, signing, nextProbeAt, verifiers = [] } = findings;
  const demand = demandStatus(findings.demand);
  const revocation = revocationStatus(findings.revocation);
  const ca = signing === undefined ? foreignCa(findings)?.notAfter : endOf(signing.path);
  const observedGeneration = resource.generation;
  const wanted = [
    untilGone(readiness(findings), resource.deleting),
    ...rotatingCondition(findings),
    ...(refused === undefined || trouble !== undefined ? [] : [stalled(refused, signing)]),
    ...quotaShort(findings.demand),
    ...refusedByVerifiers(signing?.path.chain ?? [], findings.trusted),
    ...foreignCondition(findings.foreign),
    ...unrestricted(resource),
    ...acceptsRogue(verifiers),
    ...(findings.fallback ?? []),
    ...revocationCondition(findings.revocation),
    ...(findings.crls ?? []),
  ];
  return {
    observedGeneration,
    conditions: mergeConditions(
      authorityConditions(resource.status),
      wanted.map((each) => ({ ...each, observedGeneration })),
      AUTHORITY_CONDITIONS,
      now,
    ),
    backend: resource.type,
    ...(nextProbeAt === undefined ? {} : { nextProbeTime: toRfc3339(wholeSecondsUp(nextProbeAt)) }),
    ...(signing === undefined ? {} : { activeGeneration: signing.version }),
    ...(ca === undefined ? {} : { notAfter: toRfc3339(ca) }),
    ...(findings.leftAside.length === 0
      ? {}
      : { leftAside: findings.leftAside.map((each) => readable(each, LONGEST_LEFT_ASIDE)) }),
    ...(findings.trustStatus === undefined ? {} : { trust: findings.trustStatus }),
    ...(demand === undefined ? {} : { demand }),
    ...(verifiers.length === 0 ? {} : { verifiers: [...verifiers] }),
    ...(revocation === undefined ? {} : { revocation }),
    ...rotationStatus(findings),
    ...describeGenerations(findings, resource.status.generations ?? [], now),
  };
}

/** Where another machine holds the CA key, which CA signs isn't known before it does; it is one of those that are trusted. */
export function foreignCa({
  generations,
  trusted,
  isElsewhere,
}: Pick<AuthorityFindings, 'generations' | 'trusted' | 'isElsewhere'>): CertificateView | undefined {
  if (!isElsewhere) return undefined;
  const left = generations.filter(isLeaving);
  const leaving = new Set(left.map(({ path }) => path.anchor.fingerprintSHA256));
  return lastToEnd(trusted.filter(({ fingerprintSHA256 }) => !leaving.has(fingerprintSHA256)));
}

function readiness({
  trouble,
  signing,
  verified = 'reachable, credentials accepted',
  warning,
}: AuthorityFindings): NewCondition {
  if (trouble !== undefined) return { type: 'Ready', status: 'False', reason: trouble.code, message: trouble.message };
  const message =
    signing === undefined
      ? verified
      : `issues from CA generation ${signing.version} (${signing.path.certificate.subjectText}), valid until ${toRfc3339(endOf(signing.path))}`;
  const warned = warning === undefined ? message : `${message}; warning: ${warning}`;
  return { type: 'Ready', status: 'True', reason: 'Verified', message: warned };
}

/** A resource that is being deleted goes on issuing, so people must see what holds it. */
function untilGone(ready: NewCondition, finalizers: readonly string[] | undefined): NewCondition {
  if (finalizers === undefined) return ready;
  const message = `${ready.message}; it issues until its deletion is over${heldBy(finalizers)}`;
  return { ...ready, reason: ready.status === 'True' ? 'BeingDeleted' : ready.reason, message };
}

function stalled(refused: Trouble, signing: Generation | undefined): NewCondition {
  const fallback = signing === undefined ? '' : `; generation ${signing.version} stays in use`;
  return { type: 'Stalled', status: 'True', reason: refused.code, message: `${refused.message}${fallback}` };
}
