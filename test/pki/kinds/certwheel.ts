import { generateKeyPairSync } from 'node:crypto';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import { readCaPair } from '../../../src/pki/read-ca.ts';
import { strictMessages } from '../../../src/pki/x509-strict.ts';
import { publishedBy } from '../published.ts';
import type { Leaf, Verdict } from './kind.ts';
import type { Material } from './material.ts';

export interface Answer {
  readonly verdict: Verdict;
  /** Of the refusal or of the condition. */
  readonly message: string;
}

const HOUR_MS = 3_600_000;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What Certwheel says of the values of a Secret `shop/ca` and of a certificate that asks for `leaf`. */
export async function askCertwheel({ tlsCrt, tlsKey, caCrt }: Material, leaf: Leaf, now: Date): Promise<Answer> {
  const identity = {
    subject: { commonName: leaf.commonName ?? 'client' },
    names: {
      dnsNames: leaf.dnsNames ?? ['client.shop.svc'],
      uris: leaf.uris ?? [],
      emailAddresses: leaf.emailAddresses ?? [],
      ipAddresses: leaf.ipAddresses ?? [],
    },
    usages: ['digital signature', 'client auth', ...(leaf.serverAuth ? ['server auth'] : [])],
  };
  try {
    const pair = await readCaPair({ place: 'Secret shop/ca', certificates: tlsCrt, key: tlsKey, roots: caCrt }, now);
    await publishedBy(pair, identity, publicKeyDer(privateKey), HOUR_MS, now);
    const flaws = strictMessages(pair.chain);
    if (flaws.length === 0) return { verdict: 'Ready', message: '' };
    return { verdict: 'Ready, strict verifiers refuse', message: flaws.join('\n') };
  } catch (error) {
    return { verdict: 'Refused', message: (error as Error).message };
  }
}
