import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import type { Judges } from '../verifiers/judges.ts';
import type { Case } from './describe.ts';
import { examine, groupOf } from './examine.ts';
import { drawFeatures } from './features.ts';
import { randomMaterial } from './material.ts';
import { shrink } from './shrink.ts';

export interface Group {
  /** How many PKIs of this disagreement were met. */
  count: number;
  /** The smallest case that the first of them shrinks to. */
  readonly smallest: Case;
}

export interface Hunt {
  /** PKIs that were examined. */
  readonly count: number;
  /** Those that Certwheel accepts. */
  readonly ready: number;
  /** PKIs that passed by an exception, by its name. */
  readonly exceptions: ReadonlyMap<string, number>;
  /** By `groupOf`. */
  readonly groups: ReadonlyMap<string, Group>;
}

interface Limits {
  /** The first seed; the following ones are consecutive. */
  readonly seed: number;
  readonly count?: number;
  /** No PKI is begun after it; shrinking goes on. */
  readonly until?: AbortSignal;
}

/** Verifiers work while the next PKIs are made. */
const AT_ONCE = 8;

/** Examines random PKIs until a limit is reached, and shrinks the first of each disagreement. */
export async function hunt(judges: Judges, { seed, count = Number.POSITIVE_INFINITY, until }: Limits): Promise<Hunt> {
  const leafPublicKey = publicKeyDer(await generateKey({ algorithm: 'ECDSA', size: 256 }));
  const groups = new Map<string, Group>();
  const exceptions = new Map<string, number>();
  let [begun, ended, ready] = [0, 0, 0];

  async function one(pkiSeed: number): Promise<void> {
    const features = drawFeatures(pkiSeed);
    const examined = await examineSeed(pkiSeed, features);
    ended += 1;
    if (examined.ready) ready += 1;
    const { exception, disagreement } = examined;
    if (exception !== undefined) exceptions.set(exception, (exceptions.get(exception) ?? 0) + 1);
    if (disagreement === undefined) return;
    const key = groupOf(disagreement);
    const known = groups.get(key);
    if (known === undefined) {
      const group: { count: number; smallest: Case } = {
        count: 1,
        smallest: { seed: pkiSeed, features, material: examined.material, disagreement },
      };
      groups.set(key, group);
      group.smallest = { ...group.smallest, ...(await smallestOf(pkiSeed, features, key)) };
    } else known.count += 1;
  }

  async function examineSeed(pkiSeed: number, features: readonly string[]) {
    const material = await randomMaterial(pkiSeed, features);
    return { material, ...(await examine(judges, material, leafPublicKey)) };
  }

  async function smallestOf(pkiSeed: number, all: readonly string[], key: string): Promise<Partial<Case>> {
    let smallest: Partial<Case> = {};
    await shrink(all, async (features) => {
      const { material, disagreement } = await examineSeed(pkiSeed, features);
      if (disagreement === undefined || groupOf(disagreement) !== key) return false;
      smallest = { features, material, disagreement };
      return true;
    });
    return smallest;
  }

  async function lane(): Promise<void> {
    while (begun < count && until?.aborted !== true) {
      begun += 1;
      await one(seed + begun - 1);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { count: ended, ready, exceptions, groups };
}
