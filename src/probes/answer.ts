import type { ProbeProtocol } from '../api/verifiers.ts';
import type { Demand } from './ca-names.ts';
import type { ServerTrust } from './server-trust.ts';

/** What one verifier is asked once. */
export interface Question {
  /** An IP address: names are resolved before. */
  readonly address: string;
  readonly port: number;
  /** The name that the server's certificate must have. */
  readonly serverName: string;
  readonly serverTrust: ServerTrust;
  readonly credentials: Credentials;
  readonly protocol: ProbeProtocol;
}

/** A client certificate in PEM, leaf first, and its private key. Never logged. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Accepted: the expected answer came. Rejected: an alert about the certificate, or a status that means so. Closed: the server
 * ended the connection without a word after it had the certificate, as Java does; by itself that proves nothing. Unknown:
 * everything else, such as no connection, a timeout, or a server certificate that isn't trusted.
 */
export type Outcome = 'Accepted' | 'Rejected' | 'Closed' | 'Unknown';

export interface Answer {
  readonly outcome: Outcome;
  /** What was seen, such as `alert unknown ca` or `HTTP 400`. */
  readonly seen: string;
  readonly seconds: number;
  /** See Demand; undefined where the handshake didn't come so far. */
  readonly demand: Demand | undefined;
  /** The end of the server's own certificate, where that is trusted. */
  readonly serverNotAfter: Date | undefined;
}

/** How a connection ended, or what came first. */
export type Ended =
  | { readonly by: 'data'; readonly text: string }
  | { readonly by: 'quiet' }
  | { readonly by: 'end' }
  | { readonly by: 'timeout' }
  | { readonly by: 'error'; readonly error: { readonly message: string; readonly code?: string | undefined } };
