/** Which keys each name leads to. A name that leads to one key holds the bare key: most do, and a Set for each would be a tenth of a cache. */
export class KeyIndex {
  readonly #keys = new Map<string, string | Set<string>>();

  under(name: string): string[] {
    const keys = this.#keys.get(name) ?? [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  has(name: string): boolean {
    return this.#keys.has(name);
  }

  hasSeveral(name: string): boolean {
    const keys = this.#keys.get(name);
    return typeof keys === 'object' && keys.size > 1;
  }

  file(name: string, key: string, _rank?: string): void {
    const keys = this.#keys.get(name);
    if (keys === undefined) this.#keys.set(name, key);
    else if (typeof keys !== 'string') keys.add(key);
    else if (keys !== key) this.#keys.set(name, new Set([keys, key]));
  }

  unfile(name: string, key: string, _rank?: string): void {
    const keys = this.#keys.get(name);
    if (keys === undefined) return;
    if (typeof keys !== 'string') keys.delete(key);
    if (keys === key || (typeof keys !== 'string' && keys.size === 0)) this.#keys.delete(name);
  }
}
