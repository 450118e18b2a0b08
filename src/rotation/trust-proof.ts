/** What is known of one verifier, or of one place that verifiers read, with regard to one CA. */
export interface TrustProof {
  /** For people: `ConfigMap payments/client-ca`, `verifier gateway`. */
  readonly subject: string;
  /** Since when it has been shown to trust that CA; undefined while it hasn't. */
  readonly since: Date | undefined;
  /** Why it hasn't been shown yet, and what to do, as the rest of a sentence; undefined where it has. */
  readonly waiting: string | undefined;
  /** Nothing is known yet, as after a restart. It proves nothing, and does not close a gate that is open. */
  readonly isUnseen?: true;
}
