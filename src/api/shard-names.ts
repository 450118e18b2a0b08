/** So many replicas share the work at most: each has a Lease of a fixed name, which a Role can list. */
export const MOST_MEMBERS = 16;
export const MOST_SHARDS = 256;
/** Where `--shards` is given without a number. */
export const DEFAULT_SHARDS = 64;

/** On the Leases of members and ranges; its value says which of the two. */
export const SHARDS_LABEL = 'certwheel.io/shards';

/** The Lease by which a replica shows that it lives. */
export function memberLeaseName(slot: number): string {
  return `certwheel-member-${slot}`;
}

/** The Lease that names the holder of a range. */
export function rangeLeaseName(range: number): string {
  return `certwheel-shard-${String(range).padStart(2, '0')}`;
}
