import { generateKeyPairSync } from 'node:crypto';
import { readCaPair } from '../../../src/pki/ca.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { proveIssued } from '../../../src/pki/chain.ts';
import { signLeaf } from '../../../src/pki/issue.ts';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import type { Leaf, Verdict } from './kind.ts';
import type { Material } from './material.ts';

export interface Answer {
  readonly verdict: Verdict;
  /** Of the refusal or of the condition. */
  readonly message: string;
}

const CARRIES = ['commonName', 'subject', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'] as const;
const MINUTE_MS = 60_000;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What Certwheel says of the values of a Secret `shop/ca` and of a certificate that asks for `leaf`. */
export function askCertwheel({ tlsCrt, tlsKey, caCrt }: Material, leaf: Leaf, now: Date): Answer {
  try {
    const ca = readCaPair(
      {
        certificatePem: tlsCrt.toString('latin1'),
        keyPem: tlsKey.toString('latin1'),
        anchorPem: caCrt?.toString('latin1'),
      },
      now,
    );
    const asked = {
      publicKeyDer: publicKeyDer(privateKey),
      subject: { commonName: leaf.commonName ?? 'client' },
      names: {
        dnsNames: leaf.dnsNames ?? ['client.shop.svc'],
        uris: leaf.uris ?? [],
        emailAddresses: leaf.emailAddresses ?? [],
        ipAddresses: leaf.ipAddresses ?? [],
      },
      usages: ['digital signature', 'client auth', ...(leaf.serverAuth ? ['server auth'] : [])],
    };
    const der = signLeaf({
      ca,
      ...asked,
      notBefore: new Date(now.getTime() - MINUTE_MS),
      notAfter: new Date(now.getTime() + 60 * MINUTE_MS),
      serialNumber: Buffer.of(1),
    });
    const flaw = proveIssued({
      chain: [parseCertificate(der), ...ca.chain],
      anchors: [ca.anchor],
      expected: { ...asked, now },
      carries: CARRIES,
    });
    return { verdict: flaw === undefined ? 'Ready' : 'Refused', message: flaw?.problem ?? '' };
  } catch (error) {
    return { verdict: 'Refused', message: `Secret shop/ca: ${(error as Error).message}` };
  }
}
