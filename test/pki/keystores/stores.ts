import { randomBytes } from 'node:crypto';
import type { KeySpec } from '../../../src/pki/keys.ts';
import type { Pkcs12Profile } from '../../../src/pki/keystores/encryption.ts';
import type { KeyEntry } from '../../../src/pki/keystores/entries.ts';
import { encodeJks, encodeJksTrustStore } from '../../../src/pki/keystores/jks.ts';
import { encodePkcs12, encodePkcs12TrustStore } from '../../../src/pki/keystores/pkcs12.ts';
import { type Holder, leaf, NOW, root, signIntermediate } from '../make.ts';
import type { ReadEntry, Store, StoreReader } from './readers/readers.ts';

export const KINDS = ['Modern2023', 'LegacyDES', 'LegacyRC2', 'JKS'] as const satisfies readonly (
  | Pkcs12Profile
  | 'JKS'
)[];
export type Kind = (typeof KINDS)[number];

/** A leaf below `intermediates` CAs below a root, which the chain leaves out. */
export async function keyEntry(keySpec: KeySpec, intermediates: number): Promise<Omit<KeyEntry, 'alias'>> {
  const chain: Holder[] = [];
  let ca = await root();
  for (let n = 1; n <= intermediates; n += 1) {
    ca = await signIntermediate(ca, { commonName: `Intermediate ${n}` });
    chain.unshift(ca);
  }
  const { certificate, key } = await leaf(ca, { keySpec });
  return {
    privateKeyPkcs8: key.export({ type: 'pkcs8', format: 'der' }),
    chain: [certificate.der, ...chain.map((each) => each.certificate.der)],
  };
}

/** A store, and what a reader that shows aliases in lower case must find in it. */
export interface MadeStore extends Store {
  readonly kind: Kind;
  readonly entries: readonly ReadEntry[];
}

export async function keyStore(kind: Kind, entry: KeyEntry, password: string): Promise<MadeStore> {
  const bytes =
    kind === 'JKS'
      ? encodeJks({ ...entry, password, now: NOW, randomBytes })
      : await encodePkcs12({ ...entry, password, profile: kind, randomBytes });
  const { privateKeyPkcs8, chain } = entry;
  const alias = entry.alias.toLowerCase();
  const entries = [{ kind: 'key', alias, key: hex(privateKeyPkcs8), chain: chain.map(hex) }] as const;
  return { kind, format: kind === 'JKS' ? 'JKS' : 'PKCS12', password, bytes, entries };
}

export async function trustStore(
  kind: Kind,
  certificates: readonly Uint8Array[],
  password: string,
): Promise<MadeStore> {
  const bytes =
    kind === 'JKS'
      ? encodeJksTrustStore({ certificates, password, now: NOW })
      : await encodePkcs12TrustStore({ certificates, password, profile: kind, randomBytes });
  const entries = certificates.map((der, index) => {
    const alias = index === 0 ? 'ca' : `ca-${index}`;
    return { kind: 'trusted', alias, key: '', chain: [hex(der)] } as const;
  });
  return { kind, format: kind === 'JKS' ? 'JKS' : 'PKCS12-trust', password, bytes, entries };
}

/** Whether the reader is made for the store at all. */
export function isFor({ name }: StoreReader, { kind }: MadeStore): boolean {
  if (kind === 'JKS') return /^(Go|Java) /.test(name);
  // The RC2 of OpenSSL 3 is in its legacy provider.
  return kind !== 'LegacyRC2' || name !== 'openssl';
}

/** What went wrong when the reader read the store; undefined if it found what was put in. */
export async function disagreement(reader: StoreReader, store: MadeStore): Promise<string | undefined> {
  const found = await reader.read(store);
  if ('refusal' in found) return `${reader.name}, ${store.kind}: ${found.refusal}`;
  const showsAliases = reader.showsAliases && !(reader.name.startsWith('Go ') && store.kind !== 'JKS');
  const sorted = (entries: readonly ReadEntry[]) =>
    entries
      .map((each) => JSON.stringify({ ...each, alias: showsAliases ? each.alias.toLowerCase() : '' }))
      .sort()
      .join('\n');
  const [expected, actual] = [sorted(store.entries), sorted(found)];
  return expected === actual ? undefined : `${reader.name}, ${store.kind}: ${actual}\nin place of\n${expected}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
