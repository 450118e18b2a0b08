/** What the CRLs of an authority list, as openssl reads them. */
import { CRL_OF_LABEL } from '../../../src/api/books-names.ts';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import { openssl } from '../../pki/openssl.ts';
import { eventually } from '../support/eventually.ts';
import type { World } from '../support/world.ts';

/** By serial number in lower-case hex, the reason that the CRL gives. `home` is the namespace of the controller. */
export async function listedIn({ client }: World, home: string, uid: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const { items } = await client.list(CONFIG_MAPS, { namespace: home, labelSelector: `${CRL_OF_LABEL}=${uid}` });
  for (const { binaryData = {} } of items) {
    const { ok, out, text } = openssl(['crl', '-inform', 'DER', '-noout', '-text', '-in', '{crl}'], {
      crl: Buffer.from(binaryData.crl ?? '', 'base64'),
    });
    if (!ok) throw new Error(text);
    for (const entry of out.split('Serial Number: ').slice(1)) {
      const [serial = ''] = /^[0-9A-F]+/.exec(entry) ?? [];
      const [, reason = 'Unspecified'] = /CRL Reason Code:\s+(.+)/.exec(entry) ?? [];
      found.set(serial.toLowerCase(), reason.trim());
    }
  }
  return found;
}

/** Waits until a CRL of the authority lists it, and answers the reason. */
export function untilListed(world: World, home: string, uid: string, serial: string, withinMs?: number) {
  return eventually(
    `a CRL lists ${serial}`,
    async () => (await listedIn(world, home, uid)).get(serial) ?? false,
    withinMs,
    200,
  );
}
