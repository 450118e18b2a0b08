import type { Trouble } from '../trouble.ts';
import { type DesiredObject, idOf } from './desired.ts';
import { type PodView, signerId } from './pods.ts';

/** How it is known that an object has reached the Pods that mount it. */
export interface Delivery {
  /** The longest time that the kubelet takes to bring a changed object into a volume, in milliseconds. */
  readonly kubeletSyncMs: number;
  /** Whether the controller may watch Pods. */
  readonly seesPods: boolean;
  /** Why the Pods of a namespace, or all where it is empty, aren't known; undefined where they are. */
  unknownPods(namespace: string): Trouble | undefined;
  /** The Pods that use an object, of such an id, in a way that the kubelet doesn't refresh. */
  podsUsing(id: string): readonly PodView[];
}

/** When what an object has held since a moment is in every volume that the kubelet refreshes. */
export function deliveredAt(since: Date, { kubeletSyncMs }: Delivery): Date {
  return new Date(since.getTime() + kubeletSyncMs);
}

/**
 * The Pods that still have the former content of an object: with a subPath, or in the environment, it is what it was when
 * the container started (Kubernetes, "ConfigMaps: mounted ConfigMaps are updated automatically"). A Pod that the kubelet took
 * later mounts what is there; a container that was started anew in an older Pod does so once the kubelet has refreshed it.
 */
export function podsBehind(object: DesiredObject, since: Date, delivery: Delivery): readonly string[] {
  const { kubeletSyncMs, seesPods } = delivery;
  if (!seesPods) return [];
  const ids = [idOf(object), ...(object.signerName === undefined ? [] : [signerId(object.signerName)])];
  const sinceMs = since.getTime();
  const behind = ids.flatMap((id) =>
    delivery
      .podsUsing(id)
      .filter(({ startedMs }) => startedMs !== undefined && startedMs <= sinceMs)
      .filter(({ fixed }) =>
        fixed.some((use) => use.id === id && use.startedMs !== undefined && use.startedMs <= sinceMs + kubeletSyncMs),
      )
      .map((pod) => `Pod ${pod.namespace}/${pod.name} (${howOf(pod, id)})`),
  );
  return [...new Set(behind)].sort();
}

function howOf({ fixed }: PodView, id: string): string {
  return fixed.find((use) => use.id === id)?.how ?? 'subPath';
}

/** What is to be done about such Pods, as a sentence. */
export function behindMessage(pods: readonly string[]): string {
  const [first = '', ...others] = pods;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `${first}${more} started before it was written, and the kubelet refreshes neither a subPath nor the environment; restart such Pods, or mount the object as a whole`;
}
