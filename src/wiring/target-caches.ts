import { PODS, TRUST_TARGET_LABEL } from '../api/names.ts';
import { identify } from '../api/parse.ts';
import { OBJECT_KINDS, type ObjectKind } from '../api/trust-targets.ts';
import type { Config } from '../config.ts';
import { Cache } from '../kube/cache/cache.ts';
import { ENTRY_BYTES, weightOf } from '../kube/cache/namespace-share.ts';
import type { WatchDeps } from '../kube/watch.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import type { Trouble } from '../trouble.ts';
import { KINDS } from '../trust-targets/kinds.ts';
import { type PodView, viewPod } from '../trust-targets/pods.ts';
import { switchedOff, troubleOfPods, troubleOfWatch } from '../trust-targets/troubles.ts';
import { type TargetView, targetViewer } from '../trust-targets/view.ts';
import { type Watched, Watches } from './watches.ts';

const MEBIBYTE = 1_048_576;

export type TargetCache = Cache<TargetView, 'authority'>;

/** The objects with the label of trust targets, of the kinds that the configuration allows. The start waits for none. */
export class TargetCaches {
  readonly of: Readonly<Record<ObjectKind, TargetCache>>;
  readonly viewers: Readonly<Record<ObjectKind, ReturnType<typeof targetViewer>>>;
  /** The Pods by what they use in a way that the kubelet doesn't refresh; none where the configuration doesn't allow it. */
  readonly pods: Cache<PodView, 'use'>;
  readonly #watches: Watches;
  readonly #watched = new Map<string, Watched>();

  constructor(config: Config, deps: WatchDeps) {
    this.#watches = new Watches(deps);
    const bytes = (config.namespaceShareMiB * MEBIBYTE) / 8;
    const viewers = {
      ConfigMap: targetViewer('ConfigMap'),
      Secret: targetViewer('Secret'),
      ClusterTrustBundle: targetViewer('ClusterTrustBundle'),
    };
    const cacheOf = (kind: ObjectKind): TargetCache =>
      new Cache<TargetView, 'authority'>({
        reduce: viewers[kind],
        indexes: { authority: ({ authority }) => (authority === '' ? [] : [authority]) },
        share: {
          bytes,
          weigh: (view) => ENTRY_BYTES + weightOf({ ...view, held: [] }),
          // Without its marks, so that it is nobody's.
          beyond: (object) => viewers[kind]({ metadata: identify(object) }),
        },
      });
    this.viewers = viewers;
    this.of = {
      ConfigMap: cacheOf('ConfigMap'),
      Secret: cacheOf('Secret'),
      ClusterTrustBundle: cacheOf('ClusterTrustBundle'),
    };
    this.pods = new Cache<PodView, 'use'>({
      reduce: viewPod,
      indexes: { use: ({ fixed }) => [...new Set(fixed.map(({ id }) => id))] },
      share: {
        bytes,
        weigh: (view) => ENTRY_BYTES + weightOf(view),
        beyond: ({ metadata }) => viewPod({ metadata: metadata ?? {} }),
      },
    });
    if (config.trustTargets.includes('pods'))
      for (const namespace of config.namespaces ?? [undefined])
        this.#watched.set(
          scopeOf('Pod', namespace),
          this.#watches.add({ resource: PODS, namespace, cache: this.pods }),
        );
    for (const kind of OBJECT_KINDS) {
      const { resource, right } = KINDS[kind];
      if (!config.trustTargets.includes(right)) continue;
      if (!resource.namespaced && !config.clusterAuthorities) continue;
      const scopes = resource.namespaced ? (config.namespaces ?? [undefined]) : [undefined];
      for (const namespace of scopes) {
        const spec = { resource, namespace, labelSelector: TRUST_TARGET_LABEL, cache: this.of[kind] };
        this.#watched.set(scopeOf(kind, namespace), this.#watches.add(spec));
      }
    }
  }

  /** `onKnown` is called whenever the objects of a kind have been read for the first time, in all namespaces or in one. */
  start(signal: AbortSignal, onKnown: () => void): void {
    this.#watches.start(signal, new Set());
    for (const { watch } of this.#watched.values()) void watch.synced.then(onKnown);
  }

  stats(): Generator<readonly [string, WatchStats]> {
    return this.#watches.stats();
  }

  /** Why nothing is known of the objects of a kind in a namespace; undefined where they are known. */
  unknown(kind: ObjectKind, namespace: string): Trouble | undefined {
    const watched = this.#watched.get(scopeOf(kind, undefined)) ?? this.#watched.get(scopeOf(kind, namespace));
    if (watched === undefined) return switchedOff(KINDS[kind]);
    const { synced, problem } = watched.watch.stats;
    return synced ? undefined : troubleOfWatch(problem, KINDS[kind]);
  }

  /** Why the Pods of a namespace, or all where it is empty, aren't known; undefined where they are. */
  unknownPods(namespace: string): Trouble | undefined {
    const anywhere = scopeOf('Pod', undefined);
    const unread = [...this.#watched].find(
      ([scope, { watch }]) =>
        !watch.stats.synced &&
        (namespace === '' ? scope.startsWith(anywhere) : [anywhere, scopeOf('Pod', namespace)].includes(scope)),
    );
    return unread && troubleOfPods(unread[1].watch.stats.problem);
  }
}

function scopeOf(kind: ObjectKind | 'Pod', namespace: string | undefined): string {
  return `${kind}/${namespace ?? ''}`;
}
