/** Learns that something changed. Must only note the key: it is called in the middle of reading a watch. */
export type ChangeListener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

/** Those that are called when an object in a cache changes. */
export class Listeners<T> {
  /** Whether each is called for our own writes too. */
  readonly #all = new Map<ChangeListener<T>, boolean>();

  /** Returns the function that removes the listener. */
  add(listener: ChangeListener<T>, ownToo: boolean): () => void {
    this.#all.set(listener, ownToo);
    return () => this.#all.delete(listener);
  }

  /** `own` marks a change that is our own write. */
  notify(key: string, before: T | undefined, after: T | undefined, own = false): void {
    for (const [listener, ownToo] of this.#all) if (!own || ownToo) listener(key, before, after);
  }
}
