/** What the status says of the certificate, apart from its conditions. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, HOUR, NOW } from '../../../test/unit/builders.ts';
import { condition, inShort, issued, statusAfter, suspended } from '../../../test/unit/status-after.ts';
import { decide } from '../decision/decide.ts';

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

test('the status reports nothing of a Secret with another purpose', () => {
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

test('while a CA rotation has not come to a certificate, its renewal time is when it is due', () => {
  const generations = new Map([
    ['ca 1', { version: 1, signs: false }],
    ['ca 2', { version: 2, signs: true }],
  ]);
  const seen = issued.from({
    generations,
    signing: aSigning({ version: 2, since: NOW, notAfter: after(365 * DAY), fingerprintSHA256: 'ca 2' }),
  });
  const { renewalTime } = statusAfter(seen.build());
  assert.ok(renewalTime !== undefined);
  assert.is(renewalTime, statusAfter(issued.build()).renewalTime);
});

test.run();
