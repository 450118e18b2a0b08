/** Which of the certificates that are published have an event. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, aSecret, NOW } from '../../../test/unit/builders.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import { ROTATION_REASONS } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import { issuedEvent } from './events.ts';

const condition = (type: string, reason: string) => ({
  ...{ type, reason, status: 'True' as const, message: '' },
  lastTransitionTime: toRfc3339(NOW),
});

/** A ClientCertificate with such a condition beside Ready. */
const withCondition = (type: string, reason: string) =>
  aCertificate()
    .withStatus({ conditions: [condition('Ready', 'Issued'), condition(type, reason)] })
    .build();

const calm = aCertificate().build();
const issued = aSecret(calm).certificate as CertificateFacts;
const eventOf = (resource: ClientCertificate, reason: (typeof ROTATION_REASONS)[number], routineEvents = false) =>
  issuedEvent(resource, reason, 'why', issued, routineEvents)?.reason;

test('a first issue, a renewal at its time and a re-issue by a CA rotation have no event; all other reasons have one', () => {
  const silent = ROTATION_REASONS.filter((reason) => eventOf(calm, reason) === undefined);
  assert.equal([...silent].sort(), ['CARotated', 'Due', 'FirstIssue']);
});

test('with routine events each has one', () => {
  for (const reason of ROTATION_REASONS)
    assert.is(eventOf(calm, reason, true), reason === 'FirstIssue' ? 'Issued' : 'Renewed', reason);
});

test('one that ends a trouble has an event, since the trouble has one', () => {
  for (const [type, reason] of [
    ['Issuing', 'Retrying'],
    ['Stalled', 'LimitExceeded'],
  ] as const) {
    assert.is(eventOf(withCondition(type, reason), 'FirstIssue'), 'Issued');
    assert.is(eventOf(withCondition(type, reason), 'Due'), 'Renewed');
  }
});

test('one that was only waited for has none', () => {
  assert.is(eventOf(withCondition('Issuing', 'Pending'), 'FirstIssue'), undefined);
});

test.run();
