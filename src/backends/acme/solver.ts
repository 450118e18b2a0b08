/** Makes one challenge of RFC 8555 section 8 answerable, and takes it away again. */
export interface Solver {
  readonly type: 'dns-01' | 'http-01';
  /** Resolves once the answer is to be found by the server. `keyAuthorization` is that of RFC 8555 section 8.1. Idempotent. */
  present(challenge: SolverChallenge, signal: AbortSignal): Promise<void>;
  /** Harmless where there is nothing. */
  cleanUp(challenge: SolverChallenge, signal: AbortSignal): Promise<void>;
}
export interface SolverChallenge {
  readonly domain: string;
  readonly token: string;
  readonly keyAuthorization: string;
  readonly thumbprint: string;
}
/** The solver of a spec, chosen by its `dnsNames` selectors as solversOf says. */
export type SolverFor = (domain: string) => Solver | undefined;
