/** What shows that one place of a verifier trusts a CA certificate, or why nothing shows it yet. */
export interface TrustProof {
  /** The place, such as `ConfigMap payments/client-ca`. */
  readonly subject: string;
  /** Since when it has been shown to trust that CA, without interruption; a restart loses nothing of it. */
  readonly since: Date | undefined;
  /** Why it isn't shown yet, and what to do; undefined where it is. */
  readonly waiting: string | undefined;
}
