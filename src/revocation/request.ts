import type { Runtime } from '../authority/runtime.ts';
import type { Clock } from '../clock.ts';
import { AuthorityError, type CertwheelError, classify } from '../errors.ts';
import type { Run } from '../queue/controller.ts';
import { type Attempt, failedAttempt, postponed, triedAgainAt } from './attempts.ts';
import type { Registered } from './register.ts';

/** So many are asked of an authority in one look; then others have their turn. */
const MOST_AT_ONCE = 100;
/** After so many failures in a row, each of which may have taken as long as a timeout, the rest is postponed. */
const MOST_FAILURES = 3;

interface RequestDeps {
  readonly clock: Clock;
  readonly attempts: Map<string, Attempt>;
  /** Throws where another replica works on the authority by now. */
  assertOwned(): void;
  failed(entry: Registered, error: CertwheelError, attempt: Attempt): void;
}

/**
 * Asks the authority to revoke what is owed and due, one after the other. Answers what is done; a failure is kept in `attempts`
 * with the moment of the next try. An authority that is away is asked by its probe alone.
 */
export async function requestRevocations(
  owed: readonly Registered[],
  { backend, breaker }: Runtime,
  { clock, attempts, assertOwned, failed }: RequestDeps,
  { signal, releaseWorker }: Run,
): Promise<readonly Registered[]> {
  const { revoke } = backend;
  if (revoke === undefined || breaker.trouble !== undefined) return [];
  const now = clock.now();
  const triedMs = ({ serialNumber }: Registered) => attempts.get(serialNumber)?.triedAt?.getTime() ?? 0;
  const due = owed
    .filter(({ serialNumber }) => triedAgainAt(attempts.get(serialNumber), now) <= now)
    // One that fails each time must not keep the others from being tried.
    .sort((one, other) => triedMs(one) - triedMs(other));
  const done: Registered[] = [];
  let failures = 0;
  for (const [index, entry] of due.slice(0, MOST_AT_ONCE).entries()) {
    const { serialNumber, externalId, reason } = entry;
    try {
      assertOwned();
      await releaseWorker(() => revoke({ serialNumber, externalId }, reason, signal));
      attempts.delete(serialNumber);
      done.push(entry);
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) break;
      const error = classify(thrown);
      if (error.code === 'Conflict') break;
      const attempt = failedAttempt(attempts.get(serialNumber), error, clock.now(), clock.random());
      attempts.set(serialNumber, attempt);
      failed(entry, error, attempt);
      failures = attempt.isRefused ? 0 : failures + 1;
      // Every other one would fail alike.
      if (error instanceof AuthorityError || failures >= MOST_FAILURES) {
        for (const { serialNumber: other } of due.slice(index + 1))
          attempts.set(other, postponed(attempts.get(other), attempt));
        break;
      }
    }
  }
  return done;
}
