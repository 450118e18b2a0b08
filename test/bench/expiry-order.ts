import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import { CLIENT_CERTIFICATES, type Resource } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { ListPage } from '../../src/kube/object.ts';

const PAGE = 500;

/** Page by page, since the whole list of a large fleet fits into no string. Without a namespace: of all of them. */
export async function* pagesOf(
  client: KubeClient,
  resource: Resource,
  selection: { readonly namespace?: string; readonly labelSelector?: string } = {},
): AsyncGenerator<readonly RawObject[]> {
  let next: string | undefined;
  do {
    const page: ListPage<RawObject> = await client.list(resource, { ...selection, limit: PAGE, continue: next });
    yield page.items;
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
}

/** A ClientCertificate, without what a large fleet has no room for. */
export interface Place {
  readonly key: string;
  readonly resourceVersion: number;
  readonly expiresMs: number;
  readonly dueMs: number;
}

/** Without a namespace: of all of them. */
export async function listPlaces(client: KubeClient, namespace?: string): Promise<Place[]> {
  const places: Place[] = [];
  const selection = namespace === undefined ? {} : { namespace };
  for await (const page of pagesOf(client, CLIENT_CERTIFICATES, selection)) places.push(...page.map(placeOf));
  return places;
}

function placeOf({ metadata, status }: RawObject): Place {
  const { notAfter = '', renewalTime = '' } = (status ?? {}) as ClientCertificateStatus;
  return {
    key: `${metadata?.namespace}/${metadata?.name}`,
    resourceVersion: Number(metadata?.resourceVersion),
    expiresMs: Date.parse(notAfter),
    dueMs: Date.parse(renewalTime),
  };
}

/**
 * The share of certificates that were rotated at a place where one belongs that expires more than two seconds earlier or
 * later; a few are at work at once, and their writes end in any order.
 */
export function shareOutOfOrder(rotated: readonly Place[], before: readonly Place[]): number {
  const { order, sorted } = orderOf(rotated, before);
  return order.filter((expiry, index) => Math.abs(expiry - (sorted[index] ?? 0)) > 2_000).length / order.length;
}

/**
 * How many places each certificate was rotated before or after its place in the order of expiry. Unlike seconds, places
 * don't depend on how fast the certificates were issued.
 */
export function placesOff(rotated: readonly Place[], before: readonly Place[]): number[] {
  const { order, sorted } = orderOf(rotated, before);
  // Expiries are whole seconds, so that many certificates share the places from the first to the last of their second.
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [index, expiry] of sorted.entries()) {
    if (!first.has(expiry)) first.set(expiry, index);
    last.set(expiry, index);
  }
  return order.map((expiry, index) => Math.max(0, (first.get(expiry) ?? 0) - index, index - (last.get(expiry) ?? 0)));
}

/** Former expiries, by the order in which the certificates were written, and sorted. */
function orderOf(rotated: readonly Place[], before: readonly Place[]): { order: number[]; sorted: number[] } {
  const expiries = new Map(before.map(({ key, expiresMs }) => [key, expiresMs]));
  const byWrite = [...rotated].sort((one, other) => one.resourceVersion - other.resourceVersion);
  const order = byWrite.map(({ key }) => expiries.get(key) ?? 0);
  return { order, sorted: [...order].sort((one, other) => one - other) };
}
