/** Selects one object for a list: unlike a get, that needs no right beyond those for watching. */
export function oneNamed(name: string): { readonly fieldSelector: string; readonly limit: 1 } {
  return { fieldSelector: `metadata.name=${name}`, limit: 1 };
}
