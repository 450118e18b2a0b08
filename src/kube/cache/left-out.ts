import { inScope } from './entry.ts';
import { ENTRY_BYTES, weightOf } from './namespace-share.ts';

/** So much is remembered, for each namespace, of the objects that there was no room for. */
const MOST_KEYS = 1_000;
const MOST_BYTES = 1_048_576;

interface OfNamespace {
  /** What each takes in bytes; the newest come last. */
  readonly keys: Map<string, number>;
  bytes: number;
  /** How many aren't remembered. */
  forgotten: number;
}

/** The objects that the shares of their namespaces had no room for: the newest by name, the others by their number. */
export class LeftOut {
  readonly #namespaces = new Map<string, OfNamespace>();

  get size(): number {
    let count = 0;
    for (const { keys, forgotten } of this.#namespaces.values()) count += keys.size + forgotten;
    return count;
  }

  /** Remembers one with what is kept of it; answers the keys that are forgotten for it. */
  add(namespace: string, key: string, value: unknown): string[] {
    this.drop(namespace, key);
    const known = this.#of(namespace);
    const bytes = ENTRY_BYTES + weightOf(value);
    known.keys.set(key, bytes);
    known.bytes += bytes;
    const forgotten: string[] = [];
    for (const [oldest, weight] of known.keys) {
      const isTooMuch = known.keys.size > MOST_KEYS || known.bytes > MOST_BYTES;
      if (!isTooMuch || known.keys.size === 1) break;
      known.keys.delete(oldest);
      known.bytes -= weight;
      known.forgotten++;
      forgotten.push(oldest);
    }
    return forgotten;
  }

  /** It is kept now, or gone. */
  drop(namespace: string, key: string): void {
    const known = this.#namespaces.get(namespace);
    const bytes = known?.keys.get(key);
    if (known === undefined || bytes === undefined) return;
    known.keys.delete(key);
    known.bytes -= bytes;
    this.#tidy(namespace, known);
  }

  /** One that isn't remembered is seen again, or is gone. Only a list says that it was the last one. */
  recall(namespace: string): void {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined && known.forgotten > 1) known.forgotten--;
  }

  /** Whether there are any in the namespace. */
  hasAny(namespace: string): boolean {
    return this.#namespaces.has(namespace);
  }

  /** Whether there are some in the namespace that aren't remembered. */
  hasForgotten(namespace: string): boolean {
    return (this.#namespaces.get(namespace)?.forgotten ?? 0) > 0;
  }

  /** A list of the scope found so many that aren't remembered. */
  recount(scope: string, listed: LeftOut): void {
    for (const [namespace, known] of this.#namespaces) {
      if (!inScope(scope, namespace)) continue;
      known.forgotten = 0;
      this.#tidy(namespace, known);
    }
    for (const [namespace, { forgotten }] of listed.#namespaces)
      if (forgotten > 0) this.#of(namespace).forgotten = forgotten;
  }

  #of(namespace: string): OfNamespace {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const none = { keys: new Map(), bytes: 0, forgotten: 0 };
    this.#namespaces.set(namespace, none);
    return none;
  }

  #tidy(namespace: string, { keys, forgotten }: OfNamespace): void {
    if (keys.size === 0 && forgotten === 0) this.#namespaces.delete(namespace);
  }
}
