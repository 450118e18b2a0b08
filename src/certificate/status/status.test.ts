import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, HOUR, MINUTE, NOW } from '../../../test/unit/builders.ts';
import { statusAfter } from '../../../test/unit/status-after.ts';
import { conditionsOf } from '../../api/client-certificate.ts';
import { AuthorityError, type CertwheelError, RetryableError, TerminalError } from '../../errors.ts';
import { decide } from '../decision/decide.ts';
import type { Observed } from '../observed.ts';
import type { Failure } from './status.ts';

const failureOf = (error: CertwheelError, nextAttemptAt: Date | undefined = after(MINUTE)): Failure => ({
  error,
  nextAttemptAt,
});
const condition = (status: ReturnType<typeof statusAfter>, type: string) =>
  conditionsOf(status).find((each) => each.type === type);

/** `Ready=True Issued, Issuing=True Retrying`. */
function inShort(status: ReturnType<typeof statusAfter>): string {
  return conditionsOf(status)
    .map(({ type, status: value, reason }) => `${type}=${value} ${reason}`)
    .join(', ');
}

const issued = anObserved().withSecret();
const suspended = anObserved(aCertificate().suspended());
const refused = failureOf(new RetryableError('InvalidAnswer', 'the answer was refused'));

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

test('the facts are those of the certificate', () => {
  const { conditions: _, renewalTime, ...facts } = statusAfter(issued.build());
  assert.equal(facts, {
    observedGeneration: 1,
    serialNumber: '0a',
    fingerprintSHA256: 'f1',
    publicKeyPinSHA256: 'pin',
    notBefore: '2026-06-01T11:59:00Z',
    notAfter: '2026-06-02T12:00:00Z',
    revision: 1,
    authorityGeneration: 1,
  });
  const decision = decide(issued.build(), NOW);
  const due = 'recheckAt' in decision ? decision.recheckAt : undefined;
  assert.is(renewalTime, due?.toISOString().replace('.000Z', 'Z'));
});

test('no facts are reported of a Secret that is not ours', () => {
  const { conditions: _, ...facts } = statusAfter(anObserved().withForeignSecret().build());
  assert.equal(facts, { observedGeneration: 1 });
});

const restored = anObserved().withSecret({ owner: { certificateName: 'client', certificateUid: 'uid-before' } });

test('the status has the end of the certificate in a Secret of an earlier resource of this name', () => {
  const { conditions: _, ...facts } = statusAfter(restored.build());
  assert.equal(facts, { observedGeneration: 1, notAfter: '2026-06-02T12:00:00Z' });
  assert.is(inShort(statusAfter(restored.build())), 'Ready=False SecretNotOwned, Stalled=True SecretNotOwned');
});

test('once its certificate has expired, that is why it is not ready, and how to hand it over is still said', () => {
  const status = statusAfter(restored.build(), after(DAY));
  assert.is(inShort(status), 'Ready=False Expired, Stalled=True SecretNotOwned');
  const message = condition(status, 'Ready')?.message ?? '';
  assert.match(
    message,
    /^the certificate expired at 2026-06-02T12:00:00Z; Secret client-tls was written for an earlier/,
  );
  assert.match(message, 'certwheel.io/adopt=client');
  const handedOver = anObserved(aCertificate().suspended())
    .withSecret({ owner: { certificateName: 'client', certificateUid: 'uid-before' } })
    .build();
  assert.is(inShort(statusAfter(handedOver, after(DAY))), 'Ready=False Expired');
});

test('nothing is reported of what a Secret with another purpose holds', () => {
  const { conditions: _, ...facts } = statusAfter(restored.protectedAs('holds a CA certificate').build(), after(DAY));
  assert.equal(facts, { observedGeneration: 1 });
});

const IGNORED = 'certwheel.io/renew-at "tomorrow" is ignored, since it is no moment';

test('a renew-at that is no moment is reported, with the right form', () => {
  const certificate = aCertificate().with({ annotations: { 'certwheel.io/renew-at': 'tomorrow' } });
  const well = statusAfter(anObserved(certificate).withSecret().build());
  assert.is(inShort(well), 'Ready=True RenewAtInvalid');
  const message = condition(well, 'Ready')?.message ?? '';
  assert.match(message, `valid until 2026-06-02T12:00:00Z; ${IGNORED}`);
  assert.match(message, 'write it like 2026-06-01T12:00:00Z');
  const ill = statusAfter(anObserved(certificate).build());
  assert.is(inShort(ill), 'Ready=False Pending');
  assert.match(condition(ill, 'Ready')?.message ?? '', `; ${IGNORED}`);
  const long = aCertificate().with({ annotations: { 'certwheel.io/renew-at': `a\n\u202e${'b'.repeat(1_000)}` } });
  assert.match(condition(statusAfter(anObserved(long).build()), 'Ready')?.message ?? '', /"a b{30,70}…" is ignored/);
});

test('the revision goes on where it was when the Secret is gone', () => {
  assert.is(statusAfter(anObserved(aCertificate().withStatus({ revision: 4 })).build()).revision, 4);
});

test('a certificate that was granted for longer than requested is renewed as requested, in decision and status', () => {
  const long = issued.withSecret({ certificate: { notAfter: after(10 * DAY) } }).build();
  const { renewalTime = '' } = statusAfter(long);
  const due = new Date(renewalTime);
  assert.ok(due > after(9 * HOUR) && due <= after(12 * HOUR), renewalTime);
  const early = decide(long, NOW);
  assert.equal('recheckAt' in early ? early.recheckAt : undefined, due);
  assert.is(decide(long, after(-1, due)).do, 'settle');
  assert.is(decide(long, due).do, 'issue');
  // Nothing else is known to the second to which the Secret remembers it.
  const forgotten = issued.withSecret({ certificate: { notAfter: after(10 * DAY) }, memory: { issuedAt: undefined } });
  assert.ok(new Date(statusAfter(forgotten.build()).renewalTime ?? '') > after(9 * DAY));
});

test('there is no renewal time where none will come', () => {
  const endsWithCa = issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) });
  for (const seen of [suspended.withSecret(), endsWithCa, issued.from('AuthorityNotFound')])
    assert.is(statusAfter(seen.build()).renewalTime, undefined);
});

test('a CA rotation that comes before due is the renewal time', () => {
  const generations = new Map([
    ['ca 1', { version: 1, signs: false }],
    ['ca 2', { version: 2, signs: true }],
  ]);
  const seen = issued.from({
    generations,
    signing: aSigning({ version: 2, since: NOW, notAfter: after(365 * DAY), fingerprintSHA256: 'ca 2' }),
  });
  const { renewalTime } = statusAfter(seen.build());
  assert.ok(renewalTime !== undefined && Date.parse(renewalTime) <= after(HOUR).getTime());
});

test('an error of the authority and a terminal one are reported alike', () => {
  const away = failureOf(new AuthorityError('CAExpired', 'the CA has ended'));
  const never = failureOf(new TerminalError('SecretNotOwned', 'it is not ours'), undefined);
  assert.is(condition(statusAfter(anObserved().build(), NOW, away), 'Issuing')?.message, 'CAExpired: the CA has ended');
  assert.is(condition(statusAfter(anObserved().build(), NOW, never), 'Ready')?.reason, 'SecretNotOwned');
});

test.run();
