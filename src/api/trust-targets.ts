import type {
  AuthorityTrust,
  ClusterAuthorityTrust,
  ClusterTrustTarget,
  TrustSource,
  TrustStoreFormat,
} from './generated/types.ts';

export const TARGET_KINDS = ['ConfigMap', 'Secret', 'ClusterTrustBundle'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Where an authority's trust bundle is to be written: one object, or one in each of several namespaces. */
export interface TrustTarget {
  readonly name: string;
  readonly kind: TargetKind;
  readonly object: string;
  /** Of a ClusterTrustBundle alone. */
  readonly signerName: string | undefined;
  /** Undefined for a ClusterTrustBundle, and for the namespaced kind of authority, which writes its own namespace. */
  readonly namespaces: ClusterTrustTarget['namespaces'];
  readonly formats: readonly TrustStoreFormat[];
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
  } = target;
  const common = { name, requiredProof, signerName: undefined, namespaces, formats };
  if (configMap !== undefined) return { ...common, kind: 'ConfigMap', object: configMap.name };
  if (secret !== undefined) return { ...common, kind: 'Secret', object: secret.name };
  if (clusterTrustBundle === undefined) return undefined;
  const { name: object, signerName } = clusterTrustBundle;
  return { ...common, kind: 'ClusterTrustBundle', object, signerName };
}
