import { conditionsOf } from '../../src/api/client-certificate.ts';
import { decide } from '../../src/certificate/decision/decide.ts';
import type { Observed } from '../../src/certificate/observed.ts';
import { type Failure, nextStatus } from '../../src/certificate/status/status.ts';
import { type CertwheelError, RetryableError } from '../../src/errors.ts';
import { aCertificate, after, anObserved, MINUTE, NOW, PROPAGATION_MS } from './builders.ts';

/** The status after a reconcile at this moment, in which nothing but the failure, if any, happened. */
export function statusAfter(seen: Observed, now = NOW, failure?: Failure) {
  return nextStatus(seen, decide(seen, now), failure, now, PROPAGATION_MS);
}

export const failureOf = (error: CertwheelError, nextAttemptAt: Date | undefined = after(MINUTE)): Failure => ({
  error,
  nextAttemptAt,
});
export const condition = (status: ReturnType<typeof statusAfter>, type: string) =>
  conditionsOf(status).find((each) => each.type === type);

/** `Ready=True Issued, Issuing=True Retrying`. */
export function inShort(status: ReturnType<typeof statusAfter>): string {
  return conditionsOf(status)
    .map(({ type, status: value, reason }) => `${type}=${value} ${reason}`)
    .join(', ');
}

export const issued = anObserved().withSecret();
export const suspended = anObserved(aCertificate().suspended());
export const refused = failureOf(new RetryableError('InvalidAnswer', 'the answer was refused'));
