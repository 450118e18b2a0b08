import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { P256 } from '../make.ts';
import type { Judges } from '../verifiers/judges.ts';
import type { Case } from './describe.ts';
import { causesOf, type Examined, examine, groupOf } from './examine.ts';
import { drawFeatures } from './features.ts';
import { type Material, randomMaterial } from './material.ts';
import { shrink } from './shrink.ts';

export interface Group {
  /** How many PKIs of this disagreement were met. */
  readonly count: number;
  /** What the first of them shrinks to. */
  readonly smallest: Case;
}

export interface Hunt {
  /** PKIs that were examined. */
  readonly count: number;
  /** Those that Certwheel accepts. */
  readonly ready: number;
  /** Those that have a path which all verifiers accept. */
  readonly good: number;
  /** PKIs that passed by an exception, by its name. */
  readonly exceptions: ReadonlyMap<string, number>;
  /** By `groupOf` of the smallest case. */
  readonly groups: ReadonlyMap<string, Group>;
}

interface Limits {
  /** The first seed; the following ones are consecutive. */
  readonly seed: number;
  readonly count?: number;
  /** No PKI is begun after it; shrinking goes on. */
  readonly until?: AbortSignal;
}

type Found = Examined & { readonly material: Material };
type Look = (seed: number, features: readonly string[]) => Promise<Found>;

/** Verifiers work while the next PKIs are made. */
const AT_ONCE = 8;

/** Examines random PKIs until a limit is reached, and shrinks the first of each disagreement. */
export async function hunt(judges: Judges, { seed, count = Number.POSITIVE_INFINITY, until }: Limits): Promise<Hunt> {
  const leafPublicKey = publicKeyDer(await generateKey(P256));
  const look: Look = async (pkiSeed, features) => {
    const material = await randomMaterial(pkiSeed, features);
    return { material, ...(await examine(judges, material, leafPublicKey)) };
  };
  const shrunk = new Map<string, Promise<Case>>();
  const groups = new Map<string, Group>();
  const exceptions = new Map<string, number>();
  const counts = { begun: 0, ended: 0, ready: 0, good: 0 };

  async function one(pkiSeed: number): Promise<void> {
    const features = drawFeatures(pkiSeed);
    const found = await look(pkiSeed, features);
    counts.ended += 1;
    if (found.ready) counts.ready += 1;
    if (found.good) counts.good += 1;
    const { exception, disagreement } = found;
    if (exception !== undefined) exceptions.set(exception, (exceptions.get(exception) ?? 0) + 1);
    if (disagreement === undefined) return;
    const whole = groupOf(disagreement);
    const shrinking = shrunk.get(whole) ?? smallestOf(look, pkiSeed, features, found);
    shrunk.set(whole, shrinking);
    const smallest = await shrinking;
    const key = groupOf(smallest.disagreement ?? disagreement);
    const group = groups.get(key);
    groups.set(key, { smallest: group?.smallest ?? smallest, count: (group?.count ?? 0) + 1 });
  }

  async function lane(): Promise<void> {
    while (counts.begun < count && until?.aborted !== true) {
      const pkiSeed = seed + counts.begun;
      counts.begun += 1;
      await one(pkiSeed).catch((error: Error) => {
        throw new Error(`the PKI of seed ${pkiSeed}: ${error.message}`, { cause: error });
      });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { count: counts.ended, ready: counts.ready, good: counts.good, exceptions, groups };
}

/** One cause of a disagreement is enough: where several come together, each of them is a case of its own. */
async function smallestOf(look: Look, seed: number, all: readonly string[], first: Found): Promise<Case> {
  let smallest: Case = { seed, features: all, material: first.material, disagreement: first.disagreement };
  const kind = first.disagreement?.kind;
  const causes = first.disagreement === undefined ? [] : causesOf(first.disagreement);
  await shrink(all, async (features) => {
    const { material, disagreement } = await look(seed, features);
    if (disagreement?.kind !== kind || disagreement === undefined) return false;
    if (!causesOf(disagreement).every((cause) => causes.includes(cause))) return false;
    smallest = { seed, features, material, disagreement };
    return true;
  });
  return smallest;
}
