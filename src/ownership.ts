/** Which keys of the work queues this process works on: all of them while it leads, or those of its shards. */
export interface Ownership {
  /**
   * Throws a RetryableError with the code Conflict where another process works on the key by now: `namespace/name` of a
   * ClientCertificate, authorityKey of an authority. To be asked before each outside effect.
   */
  assert(key: string): void;
}

/** The same, where several replicas may share the work. */
export interface Sharding extends Ownership {
  /** Whether a run of the key may begin here; a run that has begun may end though its key is about to go. */
  owns(key: string): boolean;
  /** Whether this replica signs for an authority of the cluster that another one reconciles. */
  follows(key: string): boolean;
  /** Throws as `assert` does, where this replica may not act at all: for what any of them may write. */
  assertActive(): void;
  /** Whether the key came from another replica so lately that a watch may lack what that one wrote last. */
  isFresh(key: string): boolean;
  /** The part of all ranges that this replica holds, in [0, 1]: what an authority of the cluster allows in all is divided by it. */
  share(): number;
  /** How many ranges it holds, of how many; undefined without shards. */
  ranges(): { readonly held: number; readonly count: number } | undefined;
}

/** Of a process that works on everything, or on nothing while another one leads. */
export function undivided(assert: () => void): Sharding {
  return {
    assert,
    owns: () => true,
    follows: () => false,
    assertActive: assert,
    isFresh: () => false,
    share: () => 1,
    ranges: () => undefined,
  };
}
