import { compareVersions } from '../object.ts';
import { ALL_NAMESPACES, type Identity } from './entry.ts';

/** How far the watch of each scope has come; an object that is missing at this version is gone. */
export class Progress {
  readonly #versions = new Map<string, string>();

  /** A list has brought all up to this version, which may be an older one than before. */
  set(scope: string, resourceVersion: string): void {
    this.#versions.set(scope, resourceVersion);
  }

  /** The watch of this scope has brought everything up to this version. */
  advance(scope: string, resourceVersion: string): void {
    const known = this.#versions.get(scope);
    if (known === undefined || compareVersions(resourceVersion, known) > 0) this.#versions.set(scope, resourceVersion);
  }

  /** Undefined where nothing is known of the namespace. */
  of(namespace: string): string | undefined {
    return this.#versions.get(ALL_NAMESPACES) ?? this.#versions.get(namespace);
  }

  /** An absent object of a version that the watch has passed was deleted since: a late answer mustn't bring it back. */
  isPast({ namespace, resourceVersion }: Pick<Identity, 'namespace' | 'resourceVersion'>): boolean {
    const reached = this.of(namespace);
    return reached !== undefined && compareVersions(resourceVersion, reached) <= 0;
  }
}
