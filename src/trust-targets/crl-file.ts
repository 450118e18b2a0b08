import { RecentlyUsed } from '../recently-used.ts';
import type { CrlSet } from '../revocation/crl/crl-set.ts';
import { storesId, type TrustStores } from './stores.ts';
import { MOST_BYTES } from './view.ts';

/** By the content of a file as storesId names it: the CAs that have a CRL in it. What was written before a restart is unknown. */
const known = new RecentlyUsed<ReadonlySet<string>>({ most: 4_000, mostWeight: 400_000 });
const NOTHING: ReadonlySet<string> = new Set();

/** The same files with the CRLs under that key; none where there are no CRLs. */
export function withCrls(stores: TrustStores, key: string, { pem, covers }: CrlSet): TrustStores {
  if (pem === '') return stores;
  const files = { ...stores.files, [key]: Buffer.from(pem).toString('base64') };
  const made = { id: storesId(Object.keys(files), (name) => files[name]), files, texts: [key] };
  known.set(fileOf(made.id, key), covers, covers.size);
  return made;
}

/** The CAs, as caKeyId, that have a CRL in an object whose files are these. */
export function coveredBy(id: string, key: string): ReadonlySet<string> {
  return known.get(fileOf(id, key)) ?? NOTHING;
}

function fileOf(id: string, key: string): string {
  return id.split(',').find((each) => each.startsWith(`${key}:`)) ?? '';
}

/** What the files take in an object. */
export function storesBytes({ files }: TrustStores): number {
  return Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0);
}

/** Why an object has no room for the CRLs, as a sentence about `what`; undefined where it has. */
export function tooLargeWith(what: string, stores: TrustStores, pem: string, bundlePem: string): string | undefined {
  const bytes = pem.length + storesBytes(stores) + Buffer.byteLength(bundlePem);
  if (bytes <= MOST_BYTES) return undefined;
  return `${what} has no room for the CRLs: they have ${pem.length} bytes, with the CA certificates ${bytes}, and an object of Kubernetes takes ${MOST_BYTES}; have servers fetch the CRL over HTTP (spec.revocation.url), or revoke less`;
}
