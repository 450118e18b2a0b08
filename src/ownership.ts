/** Which keys of the work queues this process works on: today all of them, while it leads. */
export interface Ownership {
  /**
   * Throws a RetryableError with the code Conflict where another process works on the key by now: `namespace/name` of a
   * ClientCertificate, authorityKey of an authority. To be asked before each outside effect.
   */
  assert(key: string): void;
}
