/** How replicas agree; the same figures as for the Lease of the leader. */
export interface ShardTiming {
  /** A replica whose Lease hasn't changed for this long is taken for dead. */
  readonly durationMs: number;
  /** A replica that couldn't renew its Lease for this long stops acting; the difference to durationMs is what clocks may drift. */
  readonly renewDeadlineMs: number;
  /** Between two renewals. */
  readonly retryMs: number;
  /** A range that is free for this long is taken by whoever sees it, beyond its share too. */
  readonly orphanMs: number;
  /** So long no range is given back after one that none has taken. */
  readonly pauseMs: number;
}

export const SHARD_TIMING: ShardTiming = {
  durationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 5_000,
  orphanMs: 3_000,
  pauseMs: 60_000,
};
