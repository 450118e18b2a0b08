import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import type { Observed } from '../observed.ts';
import * as flaws from './flaws.ts';
import * as obstacles from './obstacles.ts';

const issued = anObserved().withSecret();

test('an authority that is not ready is an obstacle, and the obstacle names the trouble', () => {
  assert.is(obstacles.authorityIsNotReady(issued.build()), undefined);
  assert.equal(obstacles.authorityIsNotReady(issued.inTroubleWith('CAExpired').build()), {
    do: 'wait',
    code: 'AuthorityNotReady',
    message: 'CAExpired: no CA is left',
    recheckAt: undefined,
  });
});

const resting = (seen: Observed, now = NOW) => obstacles.isBackingOffAfterFailure(seen, now);
const failed = aCertificate().failed({ at: NOW, nextAt: after(MINUTE) });

test('after a failure nothing is tried until the next attempt has its moment', () => {
  const seen = anObserved(failed).build();
  const wait = { do: 'wait', code: 'InvalidAnswer', message: 'it went wrong', recheckAt: after(MINUTE) };
  assert.equal(resting(seen), wait);
  assert.equal(resting(seen, after(MINUTE - 1)), wait);
  assert.is(resting(seen, after(MINUTE)), undefined);
});

test('without a failure there is no rest', () => {
  assert.is(resting(issued.build()), undefined);
});

test('a new spec breaks the rest', () => {
  assert.is(resting(anObserved(failed.with({ generation: 2 })).build()), undefined);
});

const ASKS: Record<string, [renewAt: Date, breaks: boolean]> = {
  'a renew-at after the failure ends the backoff': [after(10 * SECOND), true],
  'a renew-at before the failure does not end the backoff': [after(-10 * SECOND), false],
  'a renew-at in the second of the failure does not end the backoff': [after(500), false],
  'a renew-at in the future does not end the backoff': [after(40 * SECOND), false],
};

for (const [sentence, [renewAt, breaks]] of Object.entries(ASKS)) {
  test(sentence, () => {
    const wait = resting(anObserved(failed.renewAt(renewAt)).build(), after(30 * SECOND));
    assert.is(wait === undefined, breaks);
  });
}

const STATUSES: Record<string, Parameters<typeof failed.withStatus>[0]> = {
  'a next attempt without a failure': { lastFailure: undefined as never },
  'a failure without a next attempt': { nextAttemptTime: undefined as never },
  'a next attempt that is no moment': { nextAttemptTime: 'soon' },
  'a failure at no moment': { lastFailure: { time: 'then', reason: 'InvalidAnswer', message: '', attempts: 1 } },
};

for (const [sentence, status] of Object.entries(STATUSES)) {
  test(`${sentence} is no reason to rest`, () => {
    assert.is(resting(anObserved(failed.withStatus(status)).build()), undefined);
  });
}

test('a nextAttemptTime in years, which no failure sets, does not stop issuance for years', () => {
  const seen = anObserved(aCertificate().failed({ nextAt: after(10 * 365 * 24 * HOUR) })).build();
  const wait = resting(seen);
  assert.ok(
    wait === undefined || (wait.recheckAt !== undefined && wait.recheckAt <= after(24 * HOUR)),
    `${wait?.recheckAt}`,
  );
  assert.is(resting(seen, after(25 * HOUR)), undefined);
});

test('a failure in the future, from before the clock was set back, is no reason to back off', () => {
  const seen = anObserved(aCertificate().failed({ at: after(HOUR), nextAt: after(HOUR + MINUTE) })).build();
  assert.is(resting(seen), undefined);
});

const retained = anObserved(aCertificate({ deletionPolicy: 'Retain' })).withSecret();
const templated = aCertificate({
  secretTemplate: { labels: { team: 'a' }, annotations: { note: 'text' } },
});
const asTemplated = anObserved(templated).withSecret();
const ed25519 = anObserved(aCertificate({ privateKey: { algorithm: 'Ed25519' } }));

const FLAWS: Record<string, [check: (seen: Observed) => string | undefined, seen: Observed, says: string | undefined]> =
  {
    'our marks are whole': [flaws.isNotMarked, issued.build(), undefined],
    'an adopted Secret has no marks yet': [flaws.isNotMarked, anObserved().withForeignSecret().build(), 'adopted'],
    'the authority was taken out of the marks': [
      flaws.isNotMarked,
      issued.withSecret({ memory: { authority: undefined } }).build(),
      'damaged',
    ],
    'the moment of issue was taken out of the marks': [
      flaws.isNotMarked,
      issued.withSecret({ memory: { issuedAt: undefined } }).build(),
      'damaged',
    ],
    'the revision was taken out of the marks': [
      flaws.isNotMarked,
      issued.withSecret({ memory: { revision: 0 } }).build(),
      'damaged',
    ],
    'ca.crt is the bundle of the authority': [flaws.trustHasChanged, issued.build(), undefined],
    'ca.crt is another bundle': [
      flaws.trustHasChanged,
      issued.withSecret({ trustBundleHash: 'hash 0' }).build(),
      'the trust bundle has changed',
    ],
    'the bundle is not known yet': [
      flaws.trustHasChanged,
      issued.from({ trust: { pem: '', hash: 'hash of nothing', anchors: new Map() } }).build(),
      undefined,
    ],
    'the key is written as it is asked for': [flaws.outputsAreOthers, issued.build(), undefined],
    'the key is written otherwise': [
      flaws.outputsAreOthers,
      anObserved(aCertificate({ privateKey: { encoding: 'PKCS1' } }))
        .withSecret({ certificate: { keyEncoding: 'PKCS8' } })
        .build(),
      'not written in PKCS1',
    ],
    'there is but one way to write an Ed25519 key': [
      flaws.outputsAreOthers,
      ed25519.withSecret({ certificate: { keyEncoding: 'PKCS1' } }).build(),
      undefined,
    ],
    'the Secret was written for other outputs': [
      flaws.outputsAreOthers,
      issued.withSecret({ memory: { outputs: 'another' } }).build(),
      'not what the spec asks for',
    ],
    'a file beside the three was changed': [
      flaws.outputsAreOthers,
      issued.withSecret({ areFilesWhole: false }).build(),
      'a file beside tls.crt, tls.key and ca.crt has been changed',
    ],
    'the template is in the Secret': [flaws.differsFromTemplate, asTemplated.build(), undefined],
    'labels and annotations of others are no flaw': [
      flaws.differsFromTemplate,
      asTemplated.withSecret({ labels: { team: 'a', other: 'x' }, annotations: { note: 'text', more: 'y' } }).build(),
      undefined,
    ],
    'a label of the template was taken off': [
      flaws.differsFromTemplate,
      asTemplated.withSecret({ labels: {} }).build(),
      'labels',
    ],
    'a label of the template was changed': [
      flaws.differsFromTemplate,
      asTemplated.withSecret({ labels: { team: 'b' } }).build(),
      'labels',
    ],
    'an annotation of the template was taken off': [
      flaws.differsFromTemplate,
      asTemplated.withSecret({ annotations: {} }).build(),
      'annotations',
    ],
    'something was taken out of the template': [
      flaws.differsFromTemplate,
      issued.withSecret({ memory: { templateKeys: 'team' } }).build(),
      'spec.secretTemplate',
    ],
    'a label with the name of a property that every object has is missed': [
      flaws.differsFromTemplate,
      anObserved(aCertificate({ secretTemplate: { labels: { constructor: 'x' } } }))
        .withSecret({ labels: {} })
        .build(),
      'labels',
    ],
    'the owner reference is there under Delete': [flaws.ownerReferenceIsWrong, issued.build(), undefined],
    'the owner reference is missing under Delete': [
      flaws.ownerReferenceIsWrong,
      issued.withSecret({ ownerReferences: ['somebody'] }).build(),
      'deletionPolicy Delete',
    ],
    'there is no owner reference under Retain': [flaws.ownerReferenceIsWrong, retained.build(), undefined],
    'an owner reference is left under Retain': [
      flaws.ownerReferenceIsWrong,
      retained.withSecret({ ownerReferences: ['uid-1'] }).build(),
      'deletionPolicy Retain',
    ],
    'the owner references of others are no flaw': [
      flaws.ownerReferenceIsWrong,
      issued.withSecret({ ownerReferences: ['somebody', 'uid-1'] }).build(),
      undefined,
    ],
  };

for (const [sentence, [one, seen, says]] of Object.entries(FLAWS)) {
  test(sentence, () => {
    const flaw = one(seen);
    if (says === undefined) assert.is(flaw, undefined);
    else assert.ok(flaw?.includes(says), flaw ?? 'no flaw');
  });
}

test.run();
