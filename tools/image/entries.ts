/** What a root filesystem consists of. Everything belongs to root, and nobody else can write it. */
export type Entry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Buffer };

/** `path` is the one in the image, with a leading slash. */
export function file(path: string, content: Buffer | string, mode = 0o644): Entry {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

export function folder(path: string, mode = 0o755): Entry {
  return { kind: 'folder', path, mode };
}

/** Sorted, with the folders above each one; the same whatever order they came in. */
export function complete(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new Error(`${entry.path} is twice in the image`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      const there = byPath.get(above) ?? folder(above);
      if (there.kind !== 'folder') throw new Error(`${above} is a file in the image, and ${path} is below it`);
      byPath.set(above, there);
    }
  }
  // By code unit: a locale's order would depend on the machine.
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
