import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anAuthority, anObserved, DAY, HOUR, MINUTE, NOW } from '../../../test/unit/builders.ts';
import { OWN_CA_CAPABILITIES } from '../../backends/shared/own-ca.ts';
import type { Decision, Observed } from '../observed.ts';
import { decide } from './decide.ts';

/** `settle`, `issue Due`, `wait AuthorityNotFound`: a decision in two words. */
function inShort(decision: Decision): string {
  const why = 'reason' in decision ? decision.reason : 'code' in decision ? decision.code : '';
  return `${decision.do} ${why}`.trim();
}

const issued = anObserved().withSecret();
const failed = aCertificate().failed({ at: NOW, nextAt: after(MINUTE) });
const foreign = anObserved().withForeignSecret();
const tornSecret = { certificate: undefined, problem: 'tls.key is missing' };
const NOTHING = { ...OWN_CA_CAPABILITIES, identity: [], keyAlgorithms: [], usages: [] };
const oldTrust = { trustBundleHash: 'hash 0' };

const CASES: Record<string, [seen: Observed, expected: string, now?: Date]> = {
  'a new resource gets its first certificate': [anObserved().build(), 'issue FirstIssue'],
  'a certificate that is well is left alone': [issued.build(), 'settle'],
  'a certificate that is due is renewed': [issued.build(), 'issue Due', after(12 * HOUR)],
  'a certificate that has expired is renewed': [issued.build(), 'issue Due', after(10 * DAY)],
  'what is older wins over everything else': [
    anObserved(aCertificate({ commonName: 'system:admin' }))
      .withForeignSecret()
      .from('AuthorityNotFound')
      .behind('first')
      .build(),
    'refuse SecretConflict',
  ],
  'a foreign Secret is named before a missing authority': [
    foreign.from('AuthorityNotFound').build(),
    'refuse SecretNotOwned',
  ],
  'an identity without a form is named before a missing authority': [
    anObserved(aCertificate({ ipAddresses: ['9.9'] }))
      .from('AuthorityNotFound')
      .build(),
    'refuse InvalidSpec',
  ],
  'a key of the template that is denied is named before a missing authority': [
    anObserved(aCertificate({ secretTemplate: { labels: { 'copy.example.com/to': 'x' } } }))
      .from('AuthorityNotFound')
      .build()
      .with({ deniedPrefixes: ['copy.example.com/'] }),
    'refuse TemplateKeyDenied',
  ],
  'a missing authority is waited for': [anObserved().from('AuthorityNotFound').build(), 'wait AuthorityNotFound'],
  'an identity of Kubernetes is named before the limits': [
    anObserved(aCertificate({ commonName: 'system:admin' }))
      .from({ limits: { maxDurationMs: 1 } })
      .build(),
    'refuse SystemIdentityDenied',
  ],
  'the limits are named before what the authority can do': [
    anObserved()
      .from({ limits: { maxDurationMs: 1 }, capabilities: NOTHING })
      .build(),
    'refuse LimitExceeded',
  ],
  'what the authority can not do is refused before it is asked': [
    anObserved().from({ capabilities: NOTHING }).inTroubleWith().build(),
    'issue FirstIssue',
  ],
  'a torn Secret is named before a changed spec': [
    anObserved(aCertificate({ commonName: 'x' }))
      .withSecret({ ...tornSecret })
      .build(),
    'issue SecretRepaired',
  ],
  'a changed spec is named before a changed authority': [
    issued.withSecret({ memory: { requestedDurationMs: 1, authority: 'other' } }).build(),
    'issue SpecChanged',
  ],
  'a changed authority is named before a wish': [
    anObserved(aCertificate().renewAt(after(MINUTE)))
      .withSecret({ memory: { authority: 'other' } })
      .build(),
    'issue AuthorityChanged',
    after(HOUR),
  ],
  'a wish is named before the routine': [
    anObserved(aCertificate().renewAt(after(MINUTE)))
      .withSecret()
      .build(),
    'issue RenewAt',
    after(DAY),
  ],
  'a wish was honoured by what was issued after it': [
    anObserved(aCertificate().renewAt(after(MINUTE)))
      .withSecret({ memory: { issuedAt: after(MINUTE + 1) } })
      .build(),
    'settle',
    after(HOUR),
  ],
  'a suspended resource without a Secret gets none': [anObserved(aCertificate().suspended()).build(), 'settle'],
  'a suspended certificate is not renewed': [
    anObserved(aCertificate().suspended()).withSecret().build(),
    'settle',
    after(20 * HOUR),
  ],
  'a suspended certificate learns of another CA': [
    anObserved(aCertificate().suspended()).withSecret(oldTrust).build(),
    'repair',
  ],
  'a suspended certificate is not written for anything else': [
    anObserved(aCertificate({ secretTemplate: { labels: { team: 'a' } } }).suspended())
      .withSecret({ labels: {} })
      .build(),
    'settle',
  ],
  'a suspended certificate that has ended learns of nothing': [
    anObserved(aCertificate().suspended()).withSecret(oldTrust).build(),
    'settle',
    after(25 * HOUR),
  ],
  'a suspended resource that holds the certificate of another authority is left alone': [
    anObserved(aCertificate().suspended())
      .withSecret({ ...oldTrust, memory: { authority: 'CertificateAuthority/former' } })
      .build(),
    'settle',
  ],
  'a suspended certificate whose Secret could not be written waits': [
    anObserved(aCertificate().suspended().failed({ reason: 'SecretRefused' }))
      .withSecret(oldTrust)
      .build(),
    'wait SecretRefused',
  ],
  'a certificate that asks for more than the authority allows learns of another CA': [
    issued
      .withSecret(oldTrust)
      .from({ limits: { maxDurationMs: 1 } })
      .build(),
    'repair',
  ],
  'a certificate that names what no authority may learns of another CA': [
    anObserved(aCertificate({ commonName: 'system:admin' }))
      .withSecret(oldTrust)
      .build(),
    'repair',
  ],
  'a certificate whose namespace is served no more learns of another CA': [
    issued.withSecret(oldTrust).from('NamespaceNotAllowed').build().with({ lapsed: anAuthority() }),
    'repair',
  ],
  'a Secret that another resource owns learns of nothing': [
    issued.withSecret(oldTrust).behind('another').build(),
    'refuse SecretConflict',
  ],
  'a Secret that was handed over is adopted with its certificate': [
    foreign.withForeignSecret({ adoptBy: 'client' }).build(),
    'repair',
  ],
  'a Secret that was handed over and is no certificate gets one': [
    foreign.withForeignSecret({ adoptBy: 'client', ...tornSecret }).build(),
    'issue SecretRepaired',
  ],
  'a Secret that was handed over with the certificate of another CA gets one of ours': [
    foreign
      .withForeignSecret({
        adoptBy: 'client',
        certificate: { issuerFingerprint: 'theirs', anchorFingerprints: ['theirs'] },
      })
      .build(),
    'issue AuthorityChanged',
  ],
  'a Secret with an old bundle is repaired': [issued.withSecret(oldTrust).build(), 'repair'],
  'a Secret with an old bundle that is due is renewed, which brings the new bundle': [
    issued.withSecret(oldTrust).build(),
    'issue Due',
    after(12 * HOUR),
  ],
  'an authority in trouble does not disturb a certificate that is well': [issued.inTroubleWith().build(), 'settle'],
  'an authority in trouble keeps a certificate that is due waiting': [
    issued.inTroubleWith().build(),
    'wait AuthorityNotReady',
    after(12 * HOUR),
  ],
  'an authority in trouble is named before the rest after a failure': [
    anObserved(failed).inTroubleWith().build(),
    'wait AuthorityNotReady',
  ],
  'after a failure the next try has its moment': [anObserved(failed).build(), 'wait InvalidAnswer'],
  'after a failure and its pause the next try is made': [anObserved(failed).build(), 'issue FirstIssue', after(MINUTE)],
  'a failure does not disturb a certificate that is well': [anObserved(failed).withSecret().build(), 'settle'],
};

CASES['what the authority can not do is refused before it is asked'] = [
  anObserved()
    .build()
    .with({
      authority: {
        ...(anObserved().inTroubleWith().build().authority as object),
        capabilities: NOTHING,
      } as never,
    }),
  'refuse UnsupportedByAuthority',
];

for (const [sentence, [seen, expected, now = NOW]] of Object.entries(CASES)) {
  test(sentence, () => assert.is(inShort(decide(seen, now)), expected));
}

test('while the authority is in trouble, a new bundle is brought to a certificate that is due', () => {
  const seen = issued.withSecret(oldTrust).inTroubleWith().build();
  assert.is(inShort(decide(seen, after(12 * HOUR))), 'repair');
});

test('while the authority answers nonsense, a new bundle is brought to a certificate that is due', () => {
  const seen = anObserved(aCertificate().failed({ at: after(12 * HOUR), nextAt: after(13 * HOUR) }))
    .withSecret(oldTrust)
    .build();
  assert.is(inShort(decide(seen, after(12.5 * HOUR))), 'repair');
});

for (const reason of ['SecretRefused', 'Forbidden', 'Unexpected']) {
  test(`a Secret that could not be written (${reason}) is not written before the next attempt, which is waited for`, () => {
    const certificate = aCertificate().failed({ at: NOW, nextAt: after(MINUTE), reason });
    const seen = anObserved(certificate).withSecret(oldTrust).build();
    const decision = decide(seen, after(1_000));
    assert.is(inShort(decision), `wait ${reason}`);
    assert.equal('recheckAt' in decision && decision.recheckAt, after(MINUTE));
    assert.is(inShort(decide(seen, after(MINUTE))), 'repair');
  });
}

test('a good certificate is reconciled again when it is due, and not a millisecond before', () => {
  const decision = decide(issued.build(), NOW);
  const due = 'recheckAt' in decision ? decision.recheckAt : undefined;
  assert.ok(due !== undefined && due >= after(9.6 * HOUR) && due <= after(12 * HOUR));
  assert.is(inShort(decide(issued.build(), after(-1, due))), 'settle');
  assert.is(inShort(decide(issued.build(), due)), 'issue Due');
});

test.run();
