import { isDeepStrictEqual } from 'node:util';
import { toRfc3339 } from '../api/conditions.ts';
import type { VerifierStatus } from '../api/generated/types.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import type { VerifierRecord } from './record.ts';

/**
 * What status says of a verifier; without a record it has not been asked yet. What is `stored` outlives a restart, so that one
 * writes nothing; no proof is made of it.
 */
export function verifierStatus(
  name: string,
  record: VerifierRecord | undefined,
  stored?: VerifierStatus | undefined,
): VerifierStatus {
  if (record === undefined) return stored ?? { name, endpoints: 0, message: 'not asked yet' };
  const { endpoints, generations, lastChange, message } = record;
  const status: VerifierStatus = {
    name,
    endpoints,
    ...(generations.length === 0
      ? {}
      : { generations: generations.map(({ version, verdict }) => ({ version, verdict })) }),
    lastChange: toRfc3339(lastChange),
    ...(message === undefined ? {} : { message }),
  };
  const { lastChange: since } = stored ?? {};
  const isAsStored = isDeepStrictEqual({ ...stored, lastChange: undefined }, { ...status, lastChange: undefined });
  return isAsStored && since !== undefined ? { ...status, lastChange: since } : status;
}

/**
 * What a verifier proves of the CA that verifiers trust by this anchor (fingerprint), under the spec of that generation.
 * Undefined where it can't be shown a certificate of that CA, so that others must prove it.
 */
export function proofOf(
  name: string,
  known: VerifierRecord | undefined,
  anchor: string,
  specGeneration: number,
): TrustProof | undefined {
  const subject = `verifier ${name}`;
  const record = known?.specGeneration === specGeneration ? known : undefined;
  if (record?.withoutLeaf.includes(anchor)) return undefined;
  const about = record?.generations.filter((each) => each.anchor === anchor) ?? [];
  // Several generations below one anchor: all of them must be trusted.
  const moments = about.map(({ since }) => since);
  const trusted = moments.filter((each) => each !== undefined);
  if (about.length > 0 && trusted.length === about.length)
    return { subject, since: new Date(Math.max(...trusted.map((each) => each.getTime()))), waiting: undefined };
  const waiting = record?.message ?? 'not asked about this CA yet';
  return { subject, since: undefined, waiting, ...(known === undefined ? { isUnseen: true } : {}) };
}
