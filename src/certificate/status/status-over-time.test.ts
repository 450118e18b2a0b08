import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arbitraryMoment, arbitraryObserved } from '../../../test/unit/arbitrary-observed.ts';
import {
  aCertificate,
  after,
  anObserved,
  DAY,
  HOUR,
  MINUTE,
  NOW,
  PROPAGATION_MS,
} from '../../../test/unit/builders.ts';
import { statusAfter } from '../../../test/unit/status-after.ts';
import { conditionsOf } from '../../api/client-certificate.ts';
import type { ClientCertificateStatus } from '../../api/generated/types.ts';
import { storedStatus } from '../../api/stored-status.ts';
import { RetryableError } from '../../errors.ts';
import { decide } from '../decision/decide.ts';
import { isOurs, type Observed } from '../observed.ts';
import { attemptsSoFar, type Failure, nextStatus } from './status.ts';

const refused = (message = 'the answer was refused', nextAttemptAt = after(MINUTE)): Failure => ({
  error: new RetryableError('InvalidAnswer', message),
  nextAttemptAt,
});
const remembering = (seen: Observed, status: ClientCertificateStatus) =>
  seen.with({ resource: { ...seen.resource, status: storedStatus(status) } });
const ready = (status: ClientCertificateStatus) => conditionsOf(status).find(({ type }) => type === 'Ready');

test('the status of the same input at the same moment is the same', () => {
  fc.assert(
    fc.property(arbitraryObserved, arbitraryMoment, (seen, now) => {
      const first = nextStatus(seen, decide(seen, now), undefined, now, PROPAGATION_MS);
      const again = remembering(seen, first);
      assert.equal(nextStatus(again, decide(again, now), undefined, now, PROPAGATION_MS), first);
    }),
    { numRuns: 3000 },
  );
});

test('Ready=True means a certificate in our Secret that has not expired', () => {
  const failures = fc.option(fc.constant(refused()), { nil: undefined });
  fc.assert(
    fc.property(arbitraryObserved, arbitraryMoment, failures, (seen, now, failure) => {
      const { status } = ready(nextStatus(seen, decide(seen, now), failure, now, PROPAGATION_MS)) ?? {};
      const end = isOurs(seen) ? seen.secret?.certificate?.notAfter : undefined;
      if (status === 'True') assert.ok(end !== undefined && end > now);
      else assert.is(status, 'False');
    }),
    { numRuns: 3000 },
  );
});

test('a failure does not change Ready', () => {
  fc.assert(
    fc.property(arbitraryObserved, arbitraryMoment, (seen, now) => {
      const decision = decide(seen, now);
      const well = ready(nextStatus(seen, decision, undefined, now, PROPAGATION_MS));
      assert.is(ready(nextStatus(seen, decision, refused(), now, PROPAGATION_MS))?.status, well?.status);
    }),
    { numRuns: 1000 },
  );
});

test('attempts in a row go on being counted while the next one awaits its answer', () => {
  let seen = anObserved().build();
  for (let attempt = 1; attempt <= 5; attempt++) {
    seen = remembering(seen, statusAfter(seen, NOW, refused()));
    assert.is(attemptsSoFar(seen.resource), attempt);
    const waiting = { message: 'waiting for an approval' };
    const decision = decide(seen, after(HOUR));
    seen = remembering(seen, nextStatus(seen, decision, undefined, after(HOUR), PROPAGATION_MS, waiting));
    assert.is(attemptsSoFar(seen.resource), attempt);
  }
});

test('a status is plain JSON without gaps', () => {
  fc.assert(
    fc.property(arbitraryObserved, arbitraryMoment, (seen, now) => {
      const status = nextStatus(seen, decide(seen, now), undefined, now, PROPAGATION_MS);
      assert.equal(JSON.parse(JSON.stringify(status)), status);
      for (const { reason } of conditionsOf(status)) assert.match(reason, /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
    }),
  );
});

for (const length of [20, 1024, 5000, 40_000]) {
  test(`the rest after a failure whose message has ${length} characters reports what the failure reported`, () => {
    const seen = anObserved().build();
    const told = statusAfter(seen, NOW, refused('x'.repeat(length)));
    assert.equal(statusAfter(remembering(seen, told), after(10_000)), told);
  });
}

test('the time of transition moves when the status of the condition does, and only then', () => {
  const seen = anObserved().withSecret().build();
  const first = statusAfter(seen);
  assert.is(ready(first)?.lastTransitionTime, '2026-06-01T12:00:00Z');
  const later = statusAfter(remembering(seen, first), after(20 * HOUR), refused());
  assert.is(ready(later)?.lastTransitionTime, '2026-06-01T12:00:00Z');
  const expired = statusAfter(remembering(seen, later), after(DAY), refused());
  assert.is(ready(expired)?.lastTransitionTime, '2026-06-02T12:00:00Z');
  assert.equal(statusAfter(remembering(seen, expired), after(DAY), refused()).conditions, expired.conditions);
});

test('conditions of other writers stay, and ours of yesterday go', () => {
  const foreign = {
    type: 'team.example/Approved',
    status: 'True' as const,
    reason: 'Yes',
    message: 'fine',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const stalled = { ...foreign, type: 'Stalled', reason: 'LimitExceeded' };
  const seen = anObserved(aCertificate().withStatus({ conditions: [foreign, stalled] }))
    .withSecret()
    .build();
  const status = statusAfter(seen);
  assert.equal(
    conditionsOf(status).map(({ type }) => type),
    ['team.example/Approved', 'Ready'],
  );
  assert.equal(status.conditions?.[0], foreign);
});

test('failures in a row are counted, with the moment of the next try', () => {
  let seen = anObserved().build();
  for (const attempts of [1, 2, 3]) {
    const status = statusAfter(seen, NOW, refused());
    assert.equal(status.lastFailure, {
      time: '2026-06-01T12:00:00Z',
      reason: 'InvalidAnswer',
      message: 'the answer was refused',
      attempts,
    });
    assert.is(status.nextAttemptTime, '2026-06-01T12:01:00Z');
    seen = remembering(seen, status);
    assert.is(attemptsSoFar(seen.resource), attempts);
  }
});

test('a reconcile during a backoff keeps the number of attempts and the time of the next one', () => {
  const seen = anObserved(aCertificate().failed({ attempts: 4 })).build();
  const status = statusAfter(seen, after(1_000));
  assert.is(status.lastFailure?.attempts, 4);
  assert.is(status.nextAttemptTime, seen.resource.status.nextAttemptTime);
});

test('a new spec begins to count anew', () => {
  const seen = anObserved(aCertificate().failed({ attempts: 4 }).with({ generation: 2 })).build();
  assert.is(statusAfter(seen, NOW, refused()).lastFailure?.attempts, 1);
});

test('a success leaves no failure behind', () => {
  const seen = anObserved(aCertificate().failed({ attempts: 4 }))
    .withSecret()
    .build();
  const status = statusAfter(seen, after(HOUR));
  assert.is(status.lastFailure, undefined);
  assert.is(status.nextAttemptTime, undefined);
  assert.is(statusAfter(remembering(seen, status), after(HOUR), refused()).lastFailure?.attempts, 1);
});

const ATTEMPTS: Record<string, unknown> = { negative: -5, huge: 2 ** 31 - 1, fractional: 1.5, 'not a number': 'many' };

for (const [sentence, attempts] of Object.entries(ATTEMPTS)) {
  test(`a number of attempts that is ${sentence} becomes one that can be stored`, () => {
    const seen = anObserved(aCertificate().failed({ attempts: attempts as number })).build();
    const counted = statusAfter(seen, NOW, refused()).lastFailure?.attempts ?? 0;
    assert.ok(Number.isInteger(counted) && counted >= 1 && counted < 2 ** 31, `${counted}`);
  });
}

test.run();
