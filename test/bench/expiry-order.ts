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
  const expiries = new Map(before.map(({ key, expiresMs }) => [key, expiresMs]));
  const byWrite = [...rotated].sort((one, other) => one.resourceVersion - other.resourceVersion);
  const order = byWrite.map(({ key }) => expiries.get(key) ?? 0);
  const sorted = [...order].sort((one, other) => one - other);
  return order.filter((expiry, index) => Math.abs(expiry - (sorted[index] ?? 0)) > 2_000).length / order.length;
}
