/** What is known of one party that must trust a CA before the CA may sign, or before its predecessor may go. */
export interface TrustProof {
  /** Such as "ConfigMap payments/client-ca" or "verifier gateway". */
  readonly subject: string;
  /** Since when it has been shown, without interruption, to trust that CA; undefined while it isn't. */
  readonly since: Date | undefined;
  /** Why not yet, and what to do; undefined once it trusts. */
  readonly waiting: string | undefined;
}
