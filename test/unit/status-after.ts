import { decide } from '../../src/certificate/decision/decide.ts';
import type { Observed } from '../../src/certificate/observed.ts';
import { type Failure, nextStatus } from '../../src/certificate/status/status.ts';
import { NOW, PROPAGATION_MS } from './builders.ts';

/** What is told after a look at this moment at which nothing but the failure, if any, has happened. */
export function statusAfter(seen: Observed, now = NOW, failure?: Failure) {
  return nextStatus(seen, decide(seen, now), failure, now, PROPAGATION_MS);
}
