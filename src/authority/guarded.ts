import type { Backend } from '../backends/backend.ts';
import { AuthorityError, DeniedError } from '../errors.ts';
import { troubleOf } from '../trouble.ts';
import type { Breaker } from './breaker.ts';

/**
 * Requests of certificates, whose ends tell the breaker how the authority is. `wake` has the authority reconciled where
 * that is news.
 */
export function guarded(issue: Backend['issue'], breaker: Breaker, wake: () => void): Backend['issue'] {
  return async (request, signal) => {
    try {
      const answer = await issue(request, signal);
      if (breaker.answered()) wake();
      return answer;
    } catch (thrown) {
      // An abort of our own says nothing about the authority.
      if (signal.aborted) throw thrown;
      if (thrown instanceof AuthorityError) {
        breaker.failed(troubleOf(thrown), thrown.retryAfterMs);
        wake();
      } else if (thrown instanceof DeniedError && breaker.answered()) wake();
      throw thrown;
    }
  };
}
