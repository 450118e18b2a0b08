import type { CertificateAuthority } from '../api/certificate-authority.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { MOST_LEDGER_BYTES, missingFrom, nextLedger } from '../certificate/secret/ledger.ts';
import { CREATE_ONLY } from '../kube/object.ts';

/** The ledgers of an authority, one for each namespace: no namespace takes the room of another. */
export type LedgersByNamespace = ReadonlyMap<string, string>;

/** All ledgers of an authority, in bytes: half of what the API server takes for one object (1 MiB, with base64). */
export const MOST_LEDGERS_BYTES = 524_288;

const MARK_BYTES = 32;

/** `former` with the certificates of `added`, without those that have expired. What there is no room for is dropped. */
export function mergeLedgers(former: LedgersByNamespace, added: LedgersByNamespace, now: Date): LedgersByNamespace {
  const merged = new Map<string, string>();
  // What is there keeps its room, so that certificates of further namespaces displace nothing.
  let bytes = [...former.values()].reduce((sum, text) => sum + sizeOf(text), 0);
  for (const namespace of new Set([...former.keys(), ...added.keys()])) {
    const before = former.get(namespace) ?? '';
    const room = Math.min(MOST_LEDGER_BYTES, MOST_LEDGERS_BYTES - bytes + sizeOf(before));
    const text = nextLedger(before, missingFrom(before, added.get(namespace) ?? '', now), now, room);
    if (text === '' || text.length > room) continue;
    merged.set(namespace, text);
    bytes += sizeOf(text) - sizeOf(before);
  }
  return merged;
}

/** With the room that is kept for a mark of certificates that were dropped. */
function sizeOf({ length }: string): number {
  return length === 0 ? 0 : length + MARK_BYTES;
}

/** Where the ledgers of an authority are: `<authority>-ca-ledger`, `<authority>-clusterca-ledger` for the cluster kind. */
export function ledgerSecretName({ kind, name }: Pick<CertificateAuthority, 'kind' | 'name'>): string {
  return `${name}-${kind === 'ClusterCertificateAuthority' ? 'clusterca' : 'ca'}-ledger`;
}

/** Whether a Secret of that name is the one that keeps the ledgers of this authority. */
export function isLedgerSecret({ metadata = {} }: RawObject, { kind, name }: CertificateAuthority): boolean {
  const { labels = {} } = metadata;
  return labels[names.LEDGER_OF_LABEL] === name && labels[names.AUTHORITY_KIND_LABEL] === kind;
}

export function readLedgerSecret({ data = {} }: RawObject): LedgersByNamespace {
  return new Map(
    Object.entries(data).map(([namespace, text]) => [namespace, Buffer.from(text, 'base64').toString('utf8')]),
  );
}

/** The Secret as it is applied, on the condition that it still is `current`, or that there is none. */
export function ledgerManifest(
  authority: Pick<CertificateAuthority, 'kind' | 'name'>,
  namespace: string,
  ledgers: LedgersByNamespace,
  current: RawObject | undefined,
) {
  const { uid, resourceVersion = CREATE_ONLY } = current?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: ledgerSecretName(authority),
      ...(uid === undefined ? {} : { uid }),
      resourceVersion,
      labels: { [names.LEDGER_OF_LABEL]: authority.name, [names.AUTHORITY_KIND_LABEL]: authority.kind },
    },
    type: 'Opaque',
    data: Object.fromEntries([...ledgers].map(([each, text]) => [each, Buffer.from(text).toString('base64')])),
  };
}
