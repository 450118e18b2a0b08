import { CertwheelError, type ErrorCode } from '../errors.ts';
import { type CARotation, caRotation } from './ca-rotation.ts';
import type { AuthorityKind } from './client-certificate.ts';
import type { Broken, Condition } from './conditions.ts';
import { parseDuration } from './duration.ts';
import { certificateAuthoritySpecSchema, clusterCertificateAuthoritySpecSchema } from './generated/schemas.ts';
import type {
  AuthorityStatus,
  CertificateAuthoritySpec,
  ClusterCertificateAuthoritySpec,
  TrustSource,
} from './generated/types.ts';
import { type IssuancePolicy, issuancePolicy } from './issuance-policy.ts';
import { CERTIFICATE_AUTHORITIES, CLUSTER_CERTIFICATE_AUTHORITIES, type Resource } from './names.ts';
import { type ObjectMeta, parseMeta, type RawObject, validator } from './parse.ts';
import { type Revocation, revocation } from './revocation.ts';
import { type SecretReference, secretReferences } from './secret-references.ts';
import { parseTrustSources, parseTrustTargets, type TrustTarget } from './trust-targets.ts';
import { type Fields, refuseUnknownFields } from './unknown-fields.ts';
import { parseVerifiers, type TrustVerifier } from './verifiers.ts';

/** The fields of an authority that don't depend on its backend. */
export const COMMON_FIELDS: readonly string[] = [
  'limits',
  'rateLimit',
  'quota',
  'allowSystemIdentities',
  'allowedNamespaces',
  'issuancePolicy',
  'fallback',
  'caRotation',
  'revocation',
  'trust',
];

/** Of the schema alone: a field that only a later version knows is no backend, where this version follows it. */
const BACKENDS = Object.keys(certificateAuthoritySpecSchema.properties).filter(
  (field) => !COMMON_FIELDS.includes(field),
);

const SPANS_IN_MS = { Second: 1_000, Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const;
const QUOTA_SPANS_IN_MS = {
  Hour: SPANS_IN_MS.Hour,
  Day: SPANS_IN_MS.Day,
  Week: 7 * SPANS_IN_MS.Day,
  Month: 30 * SPANS_IN_MS.Day,
} as const;

/** What an authority allows to be asked of it; undefined means no limit. */
export interface Limits {
  readonly maxDurationMs: number | undefined;
  readonly keyAlgorithms: readonly string[] | undefined;
  readonly usages: readonly string[] | undefined;
  readonly allowSystemIdentities: boolean;
}

/** How often it may be asked: `requests` in `perMs`, `burst` of them at once after a pause. */
export interface RateLimit {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
}

/** What its backend gives out at most, as its operator says: known, not enforced. */
export interface IssuanceQuota {
  readonly issuances: number;
  readonly perMs: number;
}

export type AllowedNamespaces = NonNullable<ClusterCertificateAuthoritySpec['allowedNamespaces']>;

interface AuthorityMeta extends ObjectMeta {
  readonly kind: AuthorityKind;
  /** The Secrets that its spec names, also where the spec is broken. */
  readonly secrets: readonly SecretReference[];
}

/** A CertificateAuthority or a ClusterCertificateAuthority (whose namespace is empty). */
export interface CertificateAuthority extends AuthorityMeta {
  /** The backend key, and what stands under it. */
  readonly type: string;
  readonly backend: unknown;
  readonly limits: Limits;
  readonly rateLimit: RateLimit | undefined;
  readonly quota: IssuanceQuota | undefined;
  /** Which namespaces may use it; undefined for the namespaced kind, which serves its own. */
  readonly allowedNamespaces: AllowedNamespaces | undefined;
  readonly issuancePolicy: IssuancePolicy;
  /** The name of the authority that issues in its place, of the same kind and namespace; undefined for none. */
  readonly fallback?: string | undefined;
  readonly caRotation: CARotation;
  readonly revocation: Revocation;
  readonly trustTargets: readonly TrustTarget[];
  /** Further CA certificates for the targets. */
  readonly trustSources: readonly TrustSource[];
  /** The servers that are asked whether they trust its CA. */
  readonly verifiers: readonly TrustVerifier[];
  readonly status: AuthorityStatus;
}

/** One that can't be used as it stands, whatever its backend says. */
export interface BrokenCertificateAuthority extends AuthorityMeta, Broken {
  readonly status: AuthorityStatus;
}

export type AnyCertificateAuthority = CertificateAuthority | BrokenCertificateAuthority;

/** What restricts what an authority issues. */
const RESTRICTIONS = ['allowedNamespaces', 'issuancePolicy', 'limits'] as const;
const FIELDS: Readonly<Record<AuthorityKind, Fields>> = {
  CertificateAuthority: certificateAuthoritySpecSchema,
  ClusterCertificateAuthority: clusterCertificateAuthoritySpecSchema,
};

const validators = {
  CertificateAuthority: validator<CertificateAuthoritySpec>(certificateAuthoritySpecSchema),
  ClusterCertificateAuthority: validator<ClusterCertificateAuthoritySpec>(clusterCertificateAuthoritySpecSchema),
};

export function parseCertificateAuthority(kind: AuthorityKind, object: RawObject): AnyCertificateAuthority {
  const meta = metaOf(kind, object);
  const status = (object.status ?? {}) as AuthorityStatus;
  try {
    const spec: CertificateAuthoritySpec & Pick<ClusterCertificateAuthoritySpec, 'allowedNamespaces'> = validators[
      kind
    ](object.spec);
    for (const each of RESTRICTIONS)
      refuseUnknownFields(spec[each], FIELDS[kind].properties?.[each] ?? {}, `spec.${each}`);
    const type = BACKENDS.find((field) => Object.hasOwn(spec, field));
    if (type === undefined) return brokenAuthority(kind, object, 'spec names no backend');
    return {
      ...meta,
      type,
      backend: (spec as unknown as Record<string, unknown>)[type],
      limits: {
        maxDurationMs: spec.limits?.maxDuration === undefined ? undefined : parseDuration(spec.limits.maxDuration),
        keyAlgorithms: spec.limits?.keyAlgorithms,
        usages: spec.limits?.usages,
        allowSystemIdentities: spec.allowSystemIdentities ?? false,
      },
      rateLimit: spec.rateLimit && {
        requests: spec.rateLimit.requests,
        perMs: SPANS_IN_MS[spec.rateLimit.per],
        burst: spec.rateLimit.burst ?? spec.rateLimit.requests,
      },
      quota: spec.quota && { issuances: spec.quota.issuances, perMs: QUOTA_SPANS_IN_MS[spec.quota.per] },
      allowedNamespaces: kind === 'ClusterCertificateAuthority' ? (spec.allowedNamespaces ?? { names: [] }) : undefined,
      issuancePolicy: issuancePolicy(kind, spec.issuancePolicy),
      // What is stored may be older than the rule against it.
      fallback: spec.fallback?.name === meta.name ? undefined : spec.fallback?.name,
      caRotation: caRotation(spec.caRotation, object.metadata?.annotations),
      revocation: revocation(spec.revocation),
      trustTargets: parseTrustTargets(spec.trust, spec.secret !== undefined || spec.selfManaged !== undefined),
      trustSources: parseTrustSources(spec.trust),
      verifiers: parseVerifiers(spec.trust),
      status,
    };
  } catch (error) {
    if (error instanceof CertwheelError) return brokenAuthority(kind, object, error.message);
    throw error;
  }
}

export function brokenAuthority(
  kind: AuthorityKind,
  object: RawObject,
  problem: string,
  code?: ErrorCode,
): BrokenCertificateAuthority {
  return { ...metaOf(kind, object), problem, ...(code && { code }), status: (object.status ?? {}) as AuthorityStatus };
}

function metaOf(kind: AuthorityKind, object: RawObject): AuthorityMeta {
  return { ...parseMeta(object), kind, secrets: secretReferences(object.spec) };
}

export function isBrokenAuthority(resource: AnyCertificateAuthority): resource is BrokenCertificateAuthority {
  return 'problem' in resource;
}

export function authorityConditions(status: AuthorityStatus): readonly Condition[] {
  return (status.conditions ?? []) as readonly Condition[];
}

export function authorityResource(kind: AuthorityKind): Resource {
  return kind === 'CertificateAuthority' ? CERTIFICATE_AUTHORITIES : CLUSTER_CERTIFICATE_AUTHORITIES;
}

/** `CertificateAuthority/namespace/name` or `ClusterCertificateAuthority/name`: the key of queues and registries. */
export function authorityKey(authority: {
  readonly kind: AuthorityKind;
  readonly namespace: string;
  readonly name: string;
}): string {
  return authority.kind === 'CertificateAuthority'
    ? `${authority.kind}/${authority.namespace}/${authority.name}`
    : `${authority.kind}/${authority.name}`;
}

/** The key of the authority that issues in place of this one; undefined for none. */
export function fallbackKey(resource: AnyCertificateAuthority): string | undefined {
  if (isBrokenAuthority(resource) || resource.fallback === undefined) return undefined;
  return authorityKey({ ...resource, name: resource.fallback });
}

/** Whether a cluster authority serves a namespace with these labels. */
export function allowsNamespace(
  allowed: AllowedNamespaces | undefined,
  namespace: string,
  labels: Readonly<Record<string, string>> | undefined,
): boolean | undefined {
  if (allowed === undefined || allowed.all === true) return true;
  if (allowed.names?.includes(namespace)) return true;
  if (allowed.selector === undefined) return false;
  return labels && selects(allowed.selector, labels);
}

/** metav1.LabelSelector: all of it must hold; an empty one selects everything. */
function selects(
  selector: NonNullable<AllowedNamespaces['selector']>,
  labels: Readonly<Record<string, string>>,
): boolean {
  // A Map, since every object has a `constructor`, which is no label.
  const present = new Map(Object.entries(labels));
  const matches = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => present.get(key) === value);
  return (
    matches &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = present.get(key);
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}
