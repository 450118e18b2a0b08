/** Plans of a CA rotation for generations and members that a test names. */
import { type CaPair, caKeyId } from '../../src/pki/ca.ts';
import type { Generation } from '../../src/rotation/generation.ts';
import { planRotation } from '../../src/rotation/plan.ts';
import type { Member, Rotation } from '../../src/rotation/plan-types.ts';
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
    issuerFingerprint,
    issuerKeyId: caKeyId(issuer.certificate),
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    trustBundleHash: bundle,
    notAfter,
  };
}

export function plan(
  generations: readonly Generation[],
  wanted: CaPair | undefined,
  members: readonly Member[] = [],
  given: { clearSince?: Rotation['clearSince']; now?: Date; source?: string | undefined; longestLifeMs?: number } = {},
) {
  const { clearSince = new Map(), now = NOW } = given;
  return planRotation(
    {
      generations,
      members,
      clearSince,
      wanted: wanted?.id,
      trustBundleHash: 'bundle',
      propagationMs: PROPAGATION_MS,
      progressDeadlineMs: DEADLINE_MS,
      longestLifeMs: given.longestLifeMs,
      source: 'source' in given ? given.source : 'secret',
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
      return `mark ${planned.generation.version}`;
    case 'retire':
      return `retire ${planned.generation.version}`;
    case 'settle':
      return 'settle';
  }
}

export const spreading = [generation(1, 'Active', one), generation(2, 'Prepared', two)];
export const reissuing = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
