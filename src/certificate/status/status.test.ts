import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, HOUR, NOW } from '../../../test/unit/builders.ts';
import {
  condition,
  failureOf,
  inShort,
  issued,
  refused,
  statusAfter,
  suspended,
} from '../../../test/unit/status-after.ts';
import { AuthorityError, TerminalError } from '../../errors.ts';
import type { Observed } from '../observed.ts';
import type { Failure } from './status.ts';

const READY: Record<string, [seen: Observed, expected: string, now?: Date, failure?: Failure]> = {
  'a certificate that is well is ready': [issued.build(), 'Ready=True Issued'],
  'a resource without a Secret is not ready': [anObserved().build(), 'Ready=False Pending'],
  'a torn Secret is not ready': [
    anObserved().withSecret({ certificate: undefined, problem: 'tls.key is missing' }).build(),
    'Ready=False Pending',
  ],
  'a failed first issue is not ready': [
    anObserved().build(),
    'Ready=False InvalidAnswer, Issuing=True Retrying',
    NOW,
    refused,
  ],
  'a failed renewal leaves a valid certificate ready': [
    issued.build(),
    'Ready=True Issued, Issuing=True Retrying',
    after(20 * HOUR),
    refused,
  ],
  'a failed renewal is not what makes an expired certificate not ready': [
    issued.build(),
    'Ready=False Expired, Issuing=True Retrying',
    after(DAY),
    refused,
  ],
  'a certificate is ready in the last second of its life': [
    issued.inTroubleWith().build(),
    'Ready=True Issued, Issuing=True AuthorityNotReady',
    after(DAY - 1),
  ],
  'a certificate is not ready at its end': [
    issued.inTroubleWith().build(),
    'Ready=False Expired, Issuing=True AuthorityNotReady',
    after(DAY),
  ],
  'an expired certificate that is suspended is not ready': [
    suspended.withSecret().build(),
    'Ready=False Expired',
    after(2 * DAY),
  ],
  'an expired certificate of a CA that ended with it is not ready': [
    issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) }).build(),
    'Ready=False Expired',
    after(2 * DAY),
  ],
  'an expired certificate without an authority is not ready': [
    issued.from('AuthorityNotFound').build(),
    'Ready=False Expired, Issuing=True AuthorityNotFound',
    after(2 * DAY),
  ],
  'a suspended certificate is ready': [suspended.withSecret().build(), 'Ready=True Suspended', after(20 * HOUR)],
  'a suspended resource without a Secret is not ready': [suspended.build(), 'Ready=False Suspended'],
  'a certificate that ends with its CA is ready, and says so': [
    issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) }).build(),
    'Ready=True CAEndsFirst',
  ],
  'a renewBefore that is ignored is said': [
    anObserved(aCertificate({ renewBeforePercentage: 95 }))
      .withSecret()
      .build(),
    'Ready=True RenewBeforeTooLong',
  ],
  'a life that leaves workloads no time to load the next certificate is said': [
    anObserved(aCertificate({ duration: '3m' }))
      .withSecret()
      .build(),
    'Ready=True LifeTooShort',
  ],
  'a life that leaves them just enough is well': [
    anObserved(aCertificate({ duration: '4m' }))
      .withSecret()
      .build(),
    'Ready=True Issued',
  ],
  'a renewBefore that leaves them no time is said': [
    anObserved(aCertificate({ duration: '1h', renewBefore: '1m' }))
      .withSecret()
      .build(),
    'Ready=True LifeTooShort',
  ],
  'a life that the authority has cut is said': [
    issued.withSecret({ certificate: { notAfter: after(20 * HOUR) } }).build(),
    'Ready=True DurationDiffers',
  ],
  'and one that it has lengthened': [
    issued.withSecret({ certificate: { notAfter: after(48 * HOUR) } }).build(),
    'Ready=True DurationDiffers',
  ],
  'a life that differs by less than a tenth is well': [
    issued.withSecret({ certificate: { notAfter: after(23 * HOUR) } }).build(),
    'Ready=True Issued',
  ],
  'a certificate of another spec is not ready': [
    issued.withSecret({ memory: { requestedDurationMs: 1 } }).build(),
    'Ready=False SpecChanged',
  ],
  'a certificate of another spec is not ready, and why it can not be had is said': [
    issued
      .withSecret({ memory: { requestedDurationMs: 1 } })
      .inTroubleWith()
      .build(),
    'Ready=False AuthorityNotReady, Issuing=True AuthorityNotReady',
  ],
  'a certificate of another authority is not ready': [
    issued.withSecret({ memory: { authority: 'other' } }).build(),
    'Ready=False AuthorityChanged',
  ],
  'an authority that is gone leaves a valid certificate ready': [
    issued.from('AuthorityNotFound').build(),
    'Ready=True Issued, Issuing=True AuthorityNotFound',
  ],
  'a refusal leaves a valid certificate ready, and stalls': [
    issued.from({ limits: { maxDurationMs: 1 } }).build(),
    'Ready=True Issued, Stalled=True LimitExceeded',
  ],
  'a refusal of the first issue is not ready, and stalls': [
    anObserved()
      .from({ limits: { maxDurationMs: 1 } })
      .build(),
    'Ready=False LimitExceeded, Stalled=True LimitExceeded',
  ],
  'a foreign Secret with a good certificate is not ready': [
    anObserved().withForeignSecret().build(),
    'Ready=False SecretNotOwned, Stalled=True SecretNotOwned',
  ],
  'a Secret of an older resource is not ready': [
    anObserved()
      .withSecret({ owner: { certificateName: 'first', certificateUid: 'uid-0' } })
      .behind('first')
      .build(),
    'Ready=False SecretConflict, Stalled=True SecretConflict',
  ],
  'a rest after a failed first issue says what it says about the failure itself': [
    anObserved(aCertificate().failed()).build(),
    'Ready=False InvalidAnswer, Issuing=True Retrying',
  ],
  'a Secret that needs a repair is ready meanwhile': [
    issued.withSecret({ trustBundleHash: 'hash 0' }).build(),
    'Ready=True Issued',
  ],
};

for (const [sentence, [seen, expected, now, failure]] of Object.entries(READY)) {
  test(sentence, () => assert.is(inShort(statusAfter(seen, now, failure)), expected));
}

const MESSAGES: Record<string, [seen: Observed, message: string, now?: Date, failure?: Failure]> = {
  'ready, it says until when': [issued.build(), 'valid until 2026-06-02T12:00:00Z'],
  'expired, it says since when': [
    issued.withSecret().build(),
    'the certificate expired at 2026-06-02T12:00:00Z',
    after(2 * DAY),
  ],
  'an expired certificate names what keeps it from being renewed': [
    issued.build(),
    'the certificate expired at 2026-06-02T12:00:00Z; the answer was refused',
    after(2 * DAY),
    refused,
  ],
  'torn, it says what is torn': [
    anObserved().withSecret({ certificate: undefined, problem: 'tls.key is missing' }).build(),
    'tls.key is missing',
  ],
  'failed, it says what the failure says': [anObserved().build(), 'the answer was refused', NOW, refused],
};

for (const [sentence, [seen, message, now, failure]] of Object.entries(MESSAGES)) {
  test(sentence, () => assert.is(condition(statusAfter(seen, now, failure), 'Ready')?.message, message));
}

test('an error of the authority and a terminal one are reported alike', () => {
  const away = failureOf(new AuthorityError('CAExpired', 'the CA has ended'));
  const never = failureOf(new TerminalError('SecretNotOwned', 'it is not ours'), undefined);
  assert.is(condition(statusAfter(anObserved().build(), NOW, away), 'Issuing')?.message, 'CAExpired: the CA has ended');
  assert.is(condition(statusAfter(anObserved().build(), NOW, never), 'Ready')?.reason, 'SecretNotOwned');
});

test('a SPIFFE ID in a certificate that is no X509-SVID shows beside Ready, with what to do', () => {
  const uris = ['spiffe://example.com/ns/shop/sa/web'];
  const status = statusAfter(anObserved(aCertificate({ uris })).withSecret().build());
  assert.is(inShort(status), 'Ready=True Issued, InvalidSVID=True BreaksX509SVID');
  assert.match(condition(status, 'InvalidSVID')?.message ?? '', 'add "server auth" to spec.usages');
  const usages = ['digital signature', 'client auth', 'server auth'];
  const both = statusAfter(anObserved(aCertificate({ uris, usages })).withSecret().build());
  assert.is(inShort(both), 'Ready=True Issued');
});

test.run();
