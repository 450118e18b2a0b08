import { keyOf, type RawObject } from '../../api/parse.ts';
import type { Entry } from './entry.ts';
import { LeftOut } from './left-out.ts';

interface DraftDeps<T> {
  /** How many writes of our own there had been when the list was begun. */
  readonly begun: number;
  /** What the cache holds of an object. */
  known(key: string): Entry<T> | undefined;
  /** Reduces an object, and weighs it; `extra` is what the list takes beyond what is stored, `former` what it took so far. */
  read(object: RawObject, former: number, extra: number): Entry<T> | undefined;
}

/** What a list has found so far, held to the shares of the namespaces while it is read. */
export class Draft<T> {
  readonly begun: number;
  readonly leftOut = new LeftOut();
  readonly #deps: DraftDeps<T>;
  readonly #entries = new Map<string, Entry<T>>();
  /** What it takes beyond what is stored, for each namespace. */
  readonly #extra = new Map<string, number>();

  constructor(deps: DraftDeps<T>) {
    this.#deps = deps;
    this.begun = deps.begun;
  }

  get entries(): ReadonlyMap<string, Entry<T>> {
    return this.#entries;
  }

  add(object: RawObject): void {
    const { namespace = '', name = '' } = object.metadata ?? {};
    const key = keyOf({ namespace, name });
    const former = this.#weightOf(key);
    const entry = this.#deps.read(object, former, this.#extra.get(namespace) ?? 0);
    if (entry === undefined) return;
    this.#take(namespace, (entry.weight ?? 0) - former);
    this.#entries.set(key, entry);
    if (entry.weight !== undefined) this.leftOut.drop(namespace, key);
    else for (const each of this.leftOut.add(namespace, key, entry.value)) this.#entries.delete(each);
  }

  /** It is gone since the list was begun. */
  remove(object: RawObject): void {
    const { namespace = '', name = '' } = object.metadata ?? {};
    const key = keyOf({ namespace, name });
    this.#take(namespace, -this.#weightOf(key));
    this.#entries.delete(key);
    this.leftOut.drop(namespace, key);
  }

  #weightOf(key: string): number {
    return (this.#entries.get(key) ?? this.#deps.known(key))?.weight ?? 0;
  }

  #take(namespace: string, weight: number): void {
    if (weight !== 0) this.#extra.set(namespace, (this.#extra.get(namespace) ?? 0) + weight);
  }
}
