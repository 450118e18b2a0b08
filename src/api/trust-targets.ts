import type {
  AuthorityTrust,
  CloudflareMTLS,
  ClusterAuthorityTrust,
  ClusterTrustTarget,
  TrustSource,
  TrustStoreFormat,
} from './generated/types.ts';

/** Kinds of objects of the cluster. */
export const OBJECT_KINDS = ['ConfigMap', 'Secret', 'ClusterTrustBundle'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];
/** And what is at a provider. */
export const TARGET_KINDS = [...OBJECT_KINDS, 'CloudflareMTLS'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Whether it is an object of the cluster, which is watched and applied. */
export function isInCluster<T extends { readonly kind: TargetKind }>(target: T): target is T & { kind: ObjectKind } {
  return target.kind !== 'CloudflareMTLS';
}

/** Where an authority's trust bundle is to be written: one object, or one in each of several namespaces. */
export interface TrustTarget {
  readonly name: string;
  readonly kind: TargetKind;
  readonly object: string;
  /** Of a ClusterTrustBundle alone. */
  readonly signerName: string | undefined;
  /** Undefined for a ClusterTrustBundle, and for the namespaced kind of authority, which writes its own namespace. */
  readonly namespaces: ClusterTrustTarget['namespaces'];
  /** Of a CloudflareMTLS alone. */
  readonly cloudflare?: CloudflareMTLS;
  readonly formats: readonly TrustStoreFormat[];
  /** The key for the CRLs, of a ConfigMap or a Secret; undefined where none are wanted. */
  readonly crlKey?: string | undefined;
  readonly requiredProof: ClusterTrustTarget['requiredProof'];
}

const NONE: readonly never[] = Object.freeze([]);

/**
 * `spec.trust.targets` of either kind, in its order. What names no object was stored under another schema, and is left out.
 * `canProbe` is whether a certificate of a new CA can be shown to verifiers beforehand.
 */
export function parseTrustTargets(
  trust: AuthorityTrust | ClusterAuthorityTrust | undefined,
  canProbe: boolean,
): readonly TrustTarget[] {
  const targets: readonly ClusterTrustTarget[] = trust?.targets ?? [];
  const verifiers = canProbe ? (trust?.verifiers ?? []) : [];
  return targets.length === 0 ? NONE : targets.flatMap((each) => parseTarget(withProof(each, verifiers)) ?? []);
}

/** Where no verifier can show what is demanded, the proof is that the target is delivered: less would prove nothing. */
function withProof(
  target: ClusterTrustTarget,
  verifiers: readonly { readonly targetName?: string | undefined }[],
): ClusterTrustTarget {
  const isShown = verifiers.some(({ targetName = target.name }) => targetName === target.name);
  return target.requiredProof === 'Probed' && !isShown ? { ...target, requiredProof: 'Delivered' } : target;
}

/** `spec.trust.sources` of either kind. */
export function parseTrustSources(trust: AuthorityTrust | ClusterAuthorityTrust | undefined): readonly TrustSource[] {
  return trust?.sources ?? NONE;
}

function parseTarget(target: ClusterTrustTarget): TrustTarget | undefined {
  const {
    name,
    requiredProof,
    namespaces,
    additionalFormats: formats = NONE,
    configMap,
    secret,
    clusterTrustBundle,
    cloudflareMTLS: cloudflare,
    crl,
  } = target;
  const common = { name, requiredProof, signerName: undefined, namespaces, formats };
  const withCrl = { ...common, ...(crl === undefined ? {} : { crlKey: crl.key }) };
  if (configMap !== undefined) return { ...withCrl, kind: 'ConfigMap', object: configMap.name };
  if (secret !== undefined) return { ...withCrl, kind: 'Secret', object: secret.name };
  if (cloudflare !== undefined) {
    const { account, zone } = cloudflare;
    return {
      ...common,
      kind: 'CloudflareMTLS',
      object: zone === undefined ? account : `${account}/${zone}`,
      cloudflare,
    };
  }
  if (clusterTrustBundle === undefined) return undefined;
  const { name: object, signerName } = clusterTrustBundle;
  return { ...common, kind: 'ClusterTrustBundle', object, signerName };
}
