import { createSecureContext, type SecureContext } from 'node:tls';
import type { Credentials } from './answer.ts';

/**
 * The CA certificates that the servers of one round must lead to. To read them takes the event loop some milliseconds, and
 * a round may make a thousand connections: they are read once for each client certificate that is shown.
 */
export class ServerTrust {
  readonly #pem: string | undefined;
  readonly #contexts = new Map<Credentials, SecureContext>();

  /** Undefined for the public CAs of Node. */
  constructor(pem: string | undefined) {
    this.#pem = pem;
  }

  /** Throws an Error for what OpenSSL can't read. */
  showing(credentials: Credentials): SecureContext {
    const known = this.#contexts.get(credentials);
    if (known !== undefined) return known;
    const { certificate: cert, key } = credentials;
    const made = createSecureContext({ ca: this.#pem, cert, key, minVersion: 'TLSv1.2' });
    this.#contexts.set(credentials, made);
    return made;
  }
}
