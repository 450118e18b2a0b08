import { Retries } from '../../queue/retries.ts';
import type { NextKey } from './next-key.ts';

/** With the waits below, a day. */
const MOST_ATTEMPTS = 30;
const MOST_LEFT = 1_000;

/**
 * Requests that no certificate waits for any more, and that could not be removed at their authority: by the key of their
 * ClientCertificate, to be removed later. Memory is enough: the API server removes old CertificateSigningRequests by
 * itself, and a CertificateRequest goes with its ClientCertificate.
 */
export class AbandonedRequests extends Retries<NextKey> {
  constructor() {
    super({
      backoff: { firstMs: 30_000, longestMs: 3_600_000 },
      mostAttempts: MOST_ATTEMPTS,
      mostItems: MOST_LEFT,
    });
  }
}
