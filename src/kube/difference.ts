import type { RawObject } from '../api/parse.ts';

/** Given by the API server, or part of the precondition. */
const NOT_COMPARED: readonly string[] = ['name', 'namespace', 'uid', 'resourceVersion'];

/**
 * The first field that is stored otherwise than it was sent, such as `data.ca.crt`; undefined where all of it is there.
 * What others have added is no difference. Admission plugins may change each object on its way (Kubernetes, "Admission
 * Control in Kubernetes": mutating), and the API server answers success.
 */
export function fieldAltered(sent: object, stored: RawObject): string | undefined {
  return differenceAt('', withoutPrecondition(sent), stored);
}

function withoutPrecondition(sent: object): object {
  if (!('metadata' in sent)) return sent;
  const metadata = Object.entries(sent.metadata as object).filter(([field]) => !NOT_COMPARED.includes(field));
  return { ...sent, metadata: Object.fromEntries(metadata) };
}

function differenceAt(path: string, sent: unknown, stored: unknown): string | undefined {
  if (Array.isArray(sent)) {
    const found = Array.isArray(stored) ? stored : [];
    const isThere = (item: unknown) => found.some((each) => differenceAt('', item, each) === undefined);
    return sent.every(isThere) ? undefined : path;
  }
  if (typeof sent !== 'object' || sent === null) return Object.is(sent, stored) ? undefined : path;
  // The API server leaves out what is empty.
  const held: object = typeof stored === 'object' && stored !== null ? stored : {};
  for (const [field, value] of Object.entries(sent)) {
    if (value === undefined) continue;
    const found = Object.hasOwn(held, field) ? (held as Record<string, unknown>)[field] : undefined;
    const difference = differenceAt(path === '' ? field : `${path}.${field}`, value, found);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
