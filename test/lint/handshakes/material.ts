import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { type Authority, keyOf, type LeafWish, requestedBy } from '../grid/authorities.ts';
import type { Material } from './strict-peer.ts';

/** What a Secret holds whose ClientCertificate is `wish`. */
export async function issueMaterial({ issue, pair }: Authority, wish: LeafWish): Promise<Material> {
  const leaf = await issue(wish);
  return {
    cert: [leaf, ...pair.chain.slice(0, -1)].map(({ pem }) => pem).join(''),
    key: encodePrivateKey(await keyOf(requestedBy(wish).key), 'PKCS8'),
    ca: pair.anchor.pem,
    serial: leaf.serialNumber,
  };
}

/** That of a server on this machine. */
export function issueServer(authority: Authority): Promise<Material> {
  return issueMaterial(authority, {
    dnsNames: ['localhost'],
    usages: ['digital signature', 'client auth', 'server auth'],
  });
}
