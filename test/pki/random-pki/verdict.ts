import { readCaPair } from '../../../src/pki/read-ca.ts';
import { strictFlaws } from '../../../src/pki/x509-strict.ts';
import { HOUR } from '../make.ts';
import { publishedBy } from '../published.ts';
import type { Material } from './material.ts';

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
      /** What strict verifiers object to. */
      readonly strictFlaws: readonly string[];
    }
  | { readonly ready: false; readonly reason: string };

/** What Certwheel makes of the material: all calls of the code under test are here. */
export async function verdictOf(material: Material, leafPublicKey: Buffer): Promise<Verdict> {
  const { tlsCrt, tlsKey, caCrt, at, identity } = material;
  try {
    const pair = await readCaPair(
      {
        place: 'Secret shop/ca',
        certificates: Buffer.from(tlsCrt),
        key: Buffer.from(tlsKey),
        roots: caCrt === undefined ? undefined : Buffer.from(caCrt),
      },
      at,
    );
    const published = await publishedBy(pair, identity, leafPublicKey, LEAF_HOURS * HOUR, at);
    return {
      ready: true,
      published: {
        tlsCrt: published.tlsCrt.map(({ der }) => der),
        caCrt: published.caCrt.map(({ der }) => der),
      },
      strictFlaws: strictFlaws(pair.chain).map(({ flaw }) => flaw),
    };
  } catch (error) {
    // A refusal is a plain Error or one of our own; these are mistakes in the code.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return { ready: false, reason: (error as Error).message };
  }
}
