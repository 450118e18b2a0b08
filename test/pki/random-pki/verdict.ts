import { readCaPair } from '../../../src/pki/ca.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { proveIssued } from '../../../src/pki/chain.ts';
import { newSerialNumber, signLeaf } from '../../../src/pki/issue.ts';
import { NAME_FIELDS } from '../../../src/pki/san.ts';
import type { Material } from './material.ts';

const HOUR = 3_600_000;
/** How long a leaf lives at most. */
export const LEAF_HOURS = 24;

/** Certificates (DER) as they would stand in the Secrets of workloads. */
export interface Published {
  /** The leaf first. */
  readonly tlsCrt: readonly Buffer[];
  readonly caCrt: readonly Buffer[];
}

export type Verdict =
  | {
      readonly ready: true;
      readonly published: Published;
      /** What strict verifiers object to, where Certwheel says so; undefined where it says nothing about it. */
      readonly strictFlaws?: readonly string[];
    }
  | { readonly ready: false; readonly reason: string };

/** What Certwheel makes of the material: all calls of the code under test are here. */
export function verdictOf(material: Material, leafPublicKey: Buffer): Verdict {
  try {
    return { ready: true, published: publish(material, leafPublicKey) };
  } catch (error) {
    // A refusal is a plain Error or one of our own; these are mistakes in the code.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return { ready: false, reason: (error as Error).message };
  }
}

function publish({ tlsCrt, tlsKey, caCrt, at, identity }: Material, leafPublicKey: Buffer): Published {
  const ca = readCaPair({ certificatePem: tlsCrt, keyPem: tlsKey, anchorPem: caCrt }, at);
  const end = Math.min(at.getTime() + LEAF_HOURS * HOUR, ...ca.chain.map(({ notAfter }) => notAfter.getTime()));
  const leaf = parseCertificate(
    signLeaf({
      ca,
      publicKeyDer: leafPublicKey,
      ...identity,
      notBefore: new Date(at.getTime() - HOUR),
      notAfter: new Date(end),
      serialNumber: newSerialNumber(Buffer.alloc(16, 1)),
    }),
  );
  const flaw = proveIssued({
    chain: [leaf, ...ca.chain],
    anchors: [ca.anchor],
    expected: { ...identity, publicKeyDer: leafPublicKey, now: at },
    carries: ['commonName', 'subject', ...NAME_FIELDS],
  });
  if (flaw !== undefined) throw new Error(flaw.problem);
  const issuers = ca.chain.filter(({ selfSigned }) => !selfSigned);
  return { tlsCrt: [leaf, ...issuers].map(({ der }) => der), caCrt: [ca.anchor.der] };
}
