import { allowsNamespace, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { CloudflareMTLS } from '../api/generated/types.ts';
import { keyOf } from '../api/parse.ts';
import type { ObjectKind, TargetKind, TrustTarget } from '../api/trust-targets.ts';
import type { Trouble } from '../trouble.ts';
import type { TrustStores } from './stores.ts';

/** One object that must hold the trust bundle of an authority. */
export interface DesiredObject {
  readonly kind: TargetKind;
  /** Empty for a ClusterTrustBundle, and for what is at a provider of a cluster authority. */
  readonly namespace: string;
  readonly name: string;
  readonly signerName: string | undefined;
  /** Of a CloudflareMTLS alone. */
  readonly cloudflare?: CloudflareMTLS;
  /** Set once the bundle is known; none without. */
  readonly stores?: TrustStores;
  /** Why it can't be written yet. */
  readonly unready?: Trouble | undefined;
}

/** One that is an object of the cluster. */
export type ClusterObject = DesiredObject & { readonly kind: ObjectKind };

/** What one target of the spec comes to: each object in its order, and why it comes to none or not to all. */
export interface DesiredTarget {
  readonly target: TrustTarget;
  readonly objects: readonly DesiredObject[];
  /** Of the target as a whole. */
  readonly trouble: Trouble | undefined;
  /** Namespaces that don't exist, or that the controller doesn't serve. */
  readonly unreached: readonly { readonly object: DesiredObject; readonly trouble: Trouble }[];
}

/** The namespaces as far as they are known. */
export interface Places {
  /** The namespaces that the controller serves, and, where it may read them, all that exist. */
  readonly names: readonly string[];
  /** Undefined where labels can't be read. */
  labels(namespace: string): Readonly<Record<string, string>> | undefined;
  /** Whether the controller may read labels, and knows which namespaces exist. */
  readonly isWhole: boolean;
}

const NO_LABELS: Trouble = {
  code: 'TrustTargetNotServed',
  message:
    'namespaces.selector needs the labels of namespaces, which a controller of single namespaces (--namespaces) may not read: list names instead, or set all: true',
};

/** Says which objects must exist for an authority. It depends on the spec and the namespaces alone. */
export function desiredTargets(
  resource: Pick<CertificateAuthority, 'kind' | 'namespace' | 'trustTargets'>,
  places: Places,
): readonly DesiredTarget[] {
  return resource.trustTargets.map((target) => desiredTarget(target, resource, places));
}

function desiredTarget(
  target: TrustTarget,
  { kind, namespace }: Pick<CertificateAuthority, 'kind' | 'namespace'>,
  places: Places,
): DesiredTarget {
  const none = { target, objects: [], trouble: undefined, unreached: [] };
  const inPlace = (place: string): DesiredObject => ({
    kind: target.kind,
    namespace: place,
    name: target.object,
    signerName: target.signerName,
    ...(target.cloudflare && { cloudflare: target.cloudflare }),
  });
  if (kind === 'CertificateAuthority') {
    // The schema has no other for it, and a tenant must not get one by an object that is older than the schema.
    if (target.kind === 'ClusterTrustBundle' || target.namespaces !== undefined) return none;
    return { ...none, objects: [inPlace(namespace)] };
  }
  if (target.kind === 'ClusterTrustBundle' || target.kind === 'CloudflareMTLS')
    return { ...none, objects: [inPlace('')] };
  const { namespaces = { names: [] } } = target;
  if (namespaces.selector !== undefined && !places.isWhole) return { ...none, trouble: NO_LABELS };
  if (namespaces.names === undefined) {
    const chosen = places.names.filter((each) => allowsNamespace(namespaces, each, places.labels(each)) === true);
    return { ...none, objects: chosen.map(inPlace) };
  }
  const known = new Set(places.names);
  const missing = namespaces.names.filter((each) => !known.has(each));
  return {
    ...none,
    objects: namespaces.names.filter((each) => known.has(each)).map(inPlace),
    unreached: missing.map((each) => ({ object: inPlace(each), trouble: unreached(each, places) })),
  };
}

function unreached(namespace: string, { isWhole }: Places): Trouble {
  return isWhole
    ? { code: 'TrustTargetNoNamespace', message: `namespace ${namespace} does not exist` }
    : {
        code: 'TrustTargetNotServed',
        message: `namespace ${namespace} is not served by this controller; add it to namespaces of the chart (--namespaces)`,
      };
}

/** The same with the files of each target. */
export async function withStores(
  targets: readonly DesiredTarget[],
  storesOf: (target: TrustTarget) => Promise<Pick<DesiredObject, 'stores' | 'unready'>>,
): Promise<readonly DesiredTarget[]> {
  return Promise.all(
    targets.map(async (each) => {
      const files = await storesOf(each.target);
      return { ...each, objects: each.objects.map((object) => ({ ...object, ...files })) };
    }),
  );
}

/** The key of caches for one kind. */
export function placeOf({ namespace, name }: Pick<DesiredObject, 'namespace' | 'name'>): string {
  return keyOf({ namespace, name });
}

/** `ConfigMap/payments/client-ca`: which object it is, among all kinds. */
export function idOf(object: Pick<DesiredObject, 'kind' | 'namespace' | 'name'>): string {
  return `${object.kind}/${placeOf(object)}`;
}

/** The same for people: `ConfigMap payments/client-ca`. */
export function nameOf(object: Pick<DesiredObject, 'kind' | 'namespace' | 'name'>): string {
  return `${object.kind} ${placeOf(object)}`;
}
