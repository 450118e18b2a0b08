import { parseRfc3339 } from '../api/conditions.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import { shared } from '../api/shared.ts';
import type { ObjectKind } from '../api/trust-targets.ts';

/** A use of an object in a Pod that the kubelet doesn't refresh while the container runs. */
export interface FixedUse {
  /** `ConfigMap/shop/client-ca`, as idOf says it; a ClusterTrustBundle that is chosen by its signer: `Signer/<signer name>`. */
  readonly id: string;
  readonly how: 'subPath' | 'environment';
  /** When the container started, in milliseconds since the epoch; undefined while it doesn't run. */
  readonly startedMs: number | undefined;
}

/** What is kept of a Pod. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  /** When the kubelet took it, in milliseconds since the epoch; undefined before. */
  readonly startedMs: number | undefined;
  readonly fixed: readonly FixedUse[];
}

interface Source {
  readonly configMap?: { readonly name?: string };
  readonly secret?: { readonly name?: string; readonly secretName?: string };
  readonly clusterTrustBundle?: { readonly name?: string; readonly signerName?: string };
}

interface Volume extends Source {
  readonly name: string;
  readonly projected?: { readonly sources?: readonly Source[] };
}

interface Container {
  readonly name: string;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly subPath?: string;
    readonly subPathExpr?: string;
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
  readonly env?: readonly {
    readonly valueFrom?: { readonly configMapKeyRef?: Named; readonly secretKeyRef?: Named };
  }[];
}

interface Named {
  readonly name?: string;
}

interface PodSpec {
  readonly volumes?: readonly Volume[];
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: { readonly running?: { readonly startedAt?: string } };
}

interface PodStatus {
  readonly phase?: string;
  readonly startTime?: string;
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
}

const NONE: readonly FixedUse[] = Object.freeze([]);

/** A Pod that has ended, or is ending, uses nothing any more. */
export function viewPod({ metadata = {}, spec, status }: RawObject): PodView {
  const { namespace = '', name = '', deletionTimestamp } = metadata;
  const { phase, startTime, containerStatuses = [], initContainerStatuses = [] } = (status ?? {}) as PodStatus;
  const isOver = deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed';
  const startedAt = new Map(
    [...initContainerStatuses, ...containerStatuses].map((each) => [each.name, msOf(each.state?.running?.startedAt)]),
  );
  const fixed = isOver ? NONE : fixedUses((spec ?? {}) as PodSpec, namespace, startedAt);
  return { namespace: shared(namespace), name, startedMs: msOf(startTime), fixed };
}

function fixedUses(
  { volumes = [], containers = [], initContainers = [] }: PodSpec,
  namespace: string,
  startedAt: ReadonlyMap<string, number | undefined>,
): readonly FixedUse[] {
  const byVolume = new Map(volumes.map((each) => [each.name, objectsOf(each, namespace)]));
  const all = [...containers, ...initContainers].flatMap((container) => {
    const startedMs = startedAt.get(container.name);
    const mounted = (container.volumeMounts ?? [])
      .filter(({ subPath = '', subPathExpr = '' }) => subPath !== '' || subPathExpr !== '')
      .flatMap((mount) => byVolume.get(mount.name) ?? []);
    return [
      ...mounted.map((id) => ({ id, how: 'subPath' as const, startedMs })),
      ...environment(container, namespace).map((id) => ({ id, how: 'environment' as const, startedMs })),
    ];
  });
  return all.length === 0 ? NONE : all;
}

function objectsOf(volume: Volume, namespace: string): string[] {
  return [volume, ...(volume.projected?.sources ?? [])].flatMap(({ configMap, secret, clusterTrustBundle }) => [
    ...idsOf('ConfigMap', namespace, configMap?.name),
    ...idsOf('Secret', namespace, secret?.secretName ?? secret?.name),
    ...idsOf('ClusterTrustBundle', '', clusterTrustBundle?.name),
    ...(clusterTrustBundle?.signerName === undefined ? [] : [signerId(clusterTrustBundle.signerName)]),
  ]);
}

function environment({ env = [], envFrom = [] }: Container, namespace: string): string[] {
  const configMaps = [
    ...envFrom.map((each) => each.configMapRef),
    ...env.map((each) => each.valueFrom?.configMapKeyRef),
  ];
  const secrets = [...envFrom.map((each) => each.secretRef), ...env.map((each) => each.valueFrom?.secretKeyRef)];
  return [
    ...configMaps.flatMap((each) => idsOf('ConfigMap', namespace, each?.name)),
    ...secrets.flatMap((each) => idsOf('Secret', namespace, each?.name)),
  ];
}

function idsOf(kind: ObjectKind, namespace: string, name: string | undefined): string[] {
  return name === undefined ? [] : [`${kind}/${keyOf({ namespace, name })}`];
}

/** Under which id a Pod uses the ClusterTrustBundles of a signer; its label selector is not evaluated. */
export function signerId(signerName: string): string {
  return `Signer/${signerName}`;
}

function msOf(moment: string | undefined): number | undefined {
  return parseRfc3339(moment)?.getTime();
}
