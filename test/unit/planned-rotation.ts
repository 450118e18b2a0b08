/** Plans of a CA rotation for generations and members that a test names. */
import { type CaPair, type CaPath, caKeyId } from '../../src/pki/ca.ts';
import type { Gate, Generation } from '../../src/rotation/generation.ts';
import { planRotation } from '../../src/rotation/plan.ts';
import { planAnchors } from '../../src/rotation/plan-anchors.ts';
import type { Member, RotationTerms } from '../../src/rotation/plan-types.ts';
import type { TrustProof } from '../../src/rotation/trust-proof.ts';
import { hoursFromNow, NOW, pairOf, root } from '../pki/make.ts';
import { aGeneration } from './a-generation.ts';

export const PROPAGATION_MS = 120_000;
export const holder = await root({ commonName: 'one' });
export const one = pairOf(holder);
export const two = pairOf(await root({ commonName: 'two' }));
export const three = pairOf(await root({ commonName: 'three' }));
export const gone = pairOf(await root({ commonName: 'gone', notAfter: hoursFromNow(1) }));
export const later = hoursFromNow(2);

export function generation(
  version: number,
  state: Generation['state'],
  pair: CaPair,
  since = hoursFromNow(version - 10),
): Generation {
  return aGeneration(version, state, pair, { since });
}

export const DEADLINE_MS = 24 * 3_600_000;

export function member(key: string, issuer: CaPair, bundle = 'bundle', notAfter = hoursFromNow(24)): Member {
  const issuerFingerprint = issuer.certificate.fingerprintSHA256;
  return {
    key,
    namespace: 'ns',
    issuerFingerprint,
    issuerKeyId: caKeyId(issuer.certificate),
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    trustBundleHash: bundle,
    notAfter,
  };
}

/** Everything at once, but for what workloads need to load a Secret. */
export const TERMS: RotationTerms = {
  isManual: false,
  isPaused: false,
  propagationMs: PROPAGATION_MS,
  soakMs: 0,
  progressDeadlineMs: DEADLINE_MS,
  elsewhereDeadlineMs: DEADLINE_MS,
  home: 'ns',
  retireAfterMs: 0,
  advance: undefined,
  rollback: undefined,
};

interface Given {
  readonly now?: Date;
  /** Since when nothing stands in the way of a step, by `move <version>` or `retire <version>`. */
  readonly clearSince?: ReadonlyMap<string, Date>;
  readonly source?: string;
  /** What another machine states that decides by itself which CA signs; undefined where that isn't known. */
  readonly stated?: readonly CaPath[] | undefined;
  readonly longestLifeMs?: number;
  readonly terms?: Partial<RotationTerms>;
  readonly proofs?: readonly TrustProof[];
  readonly crlProofs?: readonly TrustProof[];
  /** The CA certificates of its fallback. */
  readonly further?: readonly CaPath[];
}

/** The generations with their gates open since then; see Given. */
export function opened(generations: readonly Generation[], clearSince: ReadonlyMap<string, Date>): Generation[] {
  return generations.map((each) => {
    const [moves, retires] = ['move', 'retire'].map((what) => clearSince.get(`${what} ${each.version}`));
    const to: Gate['to'] = each.state === 'Prepared' ? 'Trusted' : 'Active';
    if (moves !== undefined) return { ...each, gate: { to, since: moves } };
    return retires === undefined ? each : { ...each, gate: { to: 'Retired', since: retires } };
  });
}

export function plan(
  generations: readonly Generation[],
  wanted: CaPath | undefined,
  members: readonly Member[] = [],
  given: Given = {},
) {
  const { now = NOW, clearSince = new Map(), stated } = given;
  const planner = 'stated' in given ? planAnchors : planRotation;
  return planner(
    {
      generations: opened(generations, clearSince),
      members,
      proofs: () => given.proofs ?? [],
      crlProofs: () => given.crlProofs ?? [],
      wanted: wanted?.id,
      trustBundleHash: 'bundle',
      further: new Set(given.further?.map(({ anchor }) => anchor.fingerprintSHA256)),
      terms: { ...TERMS, ...given.terms },
      longestLifeMs: given.longestLifeMs,
      source: given.source ?? 'secret',
      stated: stated && new Set(stated.map(({ id }) => id)),
    },
    now,
  );
}

/** The step in a few words. */
export function step(...args: Parameters<typeof plan>): string {
  const planned = plan(...args).step;
  switch (planned.do) {
    case 'create':
      return `create ${planned.state}`;
    case 'move':
      return `${planned.generation.version} -> ${planned.to}`;
    case 'mark':
    case 'note':
      return `${planned.do} ${planned.generation.version}`;
    case 'rollBack':
      return `${planned.generation.version} again for ${planned.rejected.version}`;
    case 'retire':
      return `retire ${planned.generation.version}`;
    case 'settle':
      return 'settle';
  }
}

export const spreading = [generation(1, 'Active', one), generation(2, 'Prepared', two)];
export const reissuing = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
