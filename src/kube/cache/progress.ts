import { compareVersions } from '../object.ts';
import { ALL_NAMESPACES, type Identity } from './entry.ts';

/** How far the watch of each scope has told; an object that is missing at this version is gone. */
export class Progress {
  readonly #told = new Map<string, string>();

  /** A list has told of all up to this version, which may be an older one than before. */
  set(scope: string, resourceVersion: string): void {
    this.#told.set(scope, resourceVersion);
  }

  /** The watch of this scope has told of everything up to this version. */
  advance(scope: string, resourceVersion: string): void {
    const known = this.#told.get(scope);
    if (known === undefined || compareVersions(resourceVersion, known) > 0) this.#told.set(scope, resourceVersion);
  }

  /** Undefined where nothing has been told of the namespace. */
  of(namespace: string): string | undefined {
    return this.#told.get(ALL_NAMESPACES) ?? this.#told.get(namespace);
  }

  /** An absent object of a version that the watch has passed was deleted since: a late answer mustn't bring it back. */
  isPast({ namespace, resourceVersion }: Pick<Identity, 'namespace' | 'resourceVersion'>): boolean {
    const told = this.of(namespace);
    return told !== undefined && compareVersions(resourceVersion, told) <= 0;
  }
}
