import type { RawObject } from '../api/parse.ts';
import { MOST_MEMBERS, memberLeaseName, rangeLeaseName, SHARDS_LABEL } from '../api/shard-names.ts';

/** What is kept of a Lease of the shards. */
export interface LeaseView {
  readonly name: string;
  readonly resourceVersion: string;
  /** The identity of a replica; empty for none. */
  readonly holder: string;
  readonly acquiredAt: string | undefined;
  readonly transitions: number;
  /** When this version was seen first, on our own monotonic clock: the clock of its holder is never believed. */
  readonly seenAtMs: number;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly acquireTime?: string;
  readonly leaseTransitions?: number;
}

export function viewLease({ metadata = {}, spec }: RawObject, nowMs: number): LeaseView {
  const { holderIdentity = '', acquireTime, leaseTransitions = 0 } = (spec ?? {}) as LeaseSpec;
  const { name = '', resourceVersion = '' } = metadata;
  return {
    name,
    resourceVersion,
    holder: holderIdentity,
    acquiredAt: acquireTime,
    transitions: leaseTransitions,
    seenAtMs: nowMs,
  };
}

/** All Leases of the shards at one moment; undefined for one that was never written. */
export interface Board {
  readonly slots: readonly (LeaseView | undefined)[];
  readonly ranges: readonly (LeaseView | undefined)[];
}

/** `find` is given names of Leases. */
export function boardOf(count: number, find: (name: string) => LeaseView | undefined): Board {
  return {
    slots: Array.from({ length: MOST_MEMBERS }, (_, slot) => find(memberLeaseName(slot))),
    ranges: Array.from({ length: count }, (_, range) => find(rangeLeaseName(range))),
  };
}

/** The label by which the Leases of the shards are watched. */
export function labelOf(name: string): Readonly<Record<string, string>> {
  return { [SHARDS_LABEL]: name.startsWith('certwheel-member-') ? 'member' : 'range' };
}
