import { createHmac, hash } from 'node:crypto';
import type { TrustStoreFormat } from '../api/generated/types.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import { encodeJksTrustStore } from '../pki/keystores/jks.ts';
import { encodePkcs12TrustStore } from '../pki/keystores/pkcs12.ts';
import { RecentlyUsed } from '../recently-used.ts';

/** The files of a target beside ca.crt: their names, and each as base64. */
export interface TrustStores {
  /** See storesId; empty where there are none. */
  readonly id: string;
  readonly files: Readonly<Record<string, string>>;
  /** The files that are text. */
  readonly texts?: readonly string[];
}

export const NO_STORES: TrustStores = Object.freeze({ id: '', files: Object.freeze({}) });

const NAMES = { PKCS12: 'truststore.p12', JKS: 'truststore.jks' } as const;

/** Names with the hash of each content: `truststore.jks:<SHA-256>`, separated by commas. */
export function storesId(names: readonly string[], contentOf: (name: string) => string | undefined): string {
  return [...names]
    .sort()
    .map((name) => `${name}:${hash('sha256', contentOf(name) ?? '', 'base64url')}`)
    .join(',');
}

const known = new RecentlyUsed<TrustStores>({ most: 32, mostWeight: 16_000_000 });

/**
 * The trust stores of a bundle. Equal input gives equal bytes, so that nothing is written again without a change: what is
 * random in them elsewhere follows from the content, which is public.
 */
export async function trustStores(bundle: TrustBundle, formats: readonly TrustStoreFormat[]): Promise<TrustStores> {
  if (formats.length === 0) return NO_STORES;
  const key = JSON.stringify([bundle.hash, formats]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const entries = await Promise.all(
    formats.map(async (format) => [NAMES[format.type], (await encode(bundle, format)).toString('base64')] as const),
  );
  const files = Object.fromEntries(entries);
  const made = { id: storesId(Object.keys(files), (name) => files[name]), files };
  known.set(key, made, JSON.stringify(files).length);
  return made;
}

async function encode({ hash: id, anchors }: TrustBundle, { type, password }: TrustStoreFormat): Promise<Buffer> {
  const certificates = [...anchors.values()].map(({ der }) => der);
  // The creation date of the entries, which says nothing.
  if (type === 'JKS') return encodeJksTrustStore({ certificates, password, now: new Date(0) });
  let drawn = 0;
  const randomBytes = (size: number) => {
    const blocks = Array.from({ length: Math.ceil(size / 32) }, () =>
      createHmac('sha256', id).update(`${password}/${drawn++}`).digest(),
    );
    return Buffer.concat(blocks).subarray(0, size);
  };
  return encodePkcs12TrustStore({ certificates, password, randomBytes });
}
