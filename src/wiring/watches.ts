import type { Resource } from '../api/names.ts';
import { Watch, type WatchDeps, type WatchSpec } from '../kube/watch.ts';
import type { WatchStats } from '../kube/watch-record.ts';

export interface Watched {
  readonly name: string;
  readonly resource: Resource;
  /** Undefined for all. */
  readonly namespace: string | undefined;
  readonly watch: Pick<Watch<unknown>, 'run' | 'synced' | 'stats' | 'isBehind'>;
  /** The watch that has to be filled before this one begins. */
  readonly after: Watched | undefined;
}

/** All watches of the process: which begins after which, and whether all of them have been filled once. */
export class Watches {
  readonly #deps: WatchDeps;
  readonly #all: Watched[] = [];
  /** Namespaces that could not be read at the start: the start doesn't wait for them. */
  #late: ReadonlySet<string> = new Set();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  add<T>(spec: WatchSpec<T>, after?: Watched): Watched {
    const label = spec.labelSelector === undefined ? '' : `/${spec.labelSelector.split('/')[1]}`;
    const watched = {
      namespace: spec.namespace,
      resource: spec.resource,
      name: `${spec.namespace === undefined ? '' : `${spec.namespace}/`}${spec.resource.plural}${label}`,
      watch: new Watch<T>(this.#deps, spec),
      after,
    };
    this.#all.push(watched);
    return watched;
  }

  /** Begins all watches; they end with the signal. Namespaces in `late` may become readable later, or never. */
  start(signal: AbortSignal, late: ReadonlySet<string>): void {
    this.#late = late;
    for (const each of this.#punctual()) void begin(each, signal);
    for (const namespace of late) void this.#startLate(namespace, signal);
  }

  /** Resolves when every cache has been filled once. */
  async synced(): Promise<void> {
    await Promise.all(this.#punctual().map(({ watch }) => watch.synced));
  }

  get isSynced(): boolean {
    return this.#punctual().every(({ watch }) => watch.stats.synced);
  }

  /** Whether the watch of a resource in a namespace may lack what happened long ago. */
  isBehind(resource: Resource, namespace?: string): boolean {
    const found = this.#all.find(
      (each) => each.resource === resource && (each.namespace === undefined || each.namespace === namespace),
    );
    return found?.watch.isBehind === true;
  }

  /** The same for any watch that the start waited for. */
  get isAnyBehind(): boolean {
    return this.#punctual().some(({ watch }) => watch.isBehind);
  }

  *stats(): Generator<readonly [string, WatchStats]> {
    for (const { name, watch } of this.#all) yield [name, watch.stats];
  }

  /** One watch after the other, since work goes on meanwhile. */
  async #startLate(namespace: string, signal: AbortSignal): Promise<void> {
    for (const { watch } of this.#all.filter((each) => each.namespace === namespace)) {
      void watch.run(signal);
      await watch.synced;
    }
  }

  #punctual(): Watched[] {
    return this.#all.filter(({ namespace }) => namespace === undefined || !this.#late.has(namespace));
  }
}

async function begin({ watch, after }: Watched, signal: AbortSignal): Promise<void> {
  await after?.watch.synced;
  await watch.run(signal);
}
