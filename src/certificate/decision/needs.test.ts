import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, HOUR, MINUTE, NOW } from '../../../test/unit/builders.ts';
import { table } from '../../../test/unit/check-table.ts';
import type { Observed } from '../observed.ts';
import { decide } from './decide.ts';
import * as needs from './needs.ts';

const issued = anObserved().withSecret();
const asked = (spec: object) => anObserved(aCertificate(spec));
/** The Secret is that of the first spec, the resource asks for the second by now. */
function changed(before: object, now: object): Observed {
  const { secret } = asked(before).withSecret().build();
  return asked({ ...before, ...now })
    .build()
    .with({ secret });
}

table({
  'a Secret that never was is a first issue': {
    check: needs.secretIsMissing,
    seen: anObserved().build(),
    says: 'FirstIssue',
  },
  'a Secret that was and is gone is repaired': {
    check: needs.secretIsMissing,
    seen: anObserved(aCertificate().withStatus({ revision: 3 })).build(),
    says: 'SecretRepaired',
  },
  'a Secret that is there is not missing': { check: needs.secretIsMissing, seen: issued.build(), says: undefined },
  'a Secret that is no usable certificate is repaired': {
    check: needs.secretIsUnusable,
    seen: anObserved().withSecret({ certificate: undefined, problem: 'tls.key is missing' }).build(),
    says: 'tls.key is missing',
  },
  'a Secret that is well is not unusable': { check: needs.secretIsUnusable, seen: issued.build(), says: undefined },
});

const CHANGES: Record<string, [before: object, now: object, says: string | undefined]> = {
  'the same spec is no change': [{}, {}, undefined],
  'another common name': [{}, { commonName: 'other' }, 'the subject'],
  'another organization': [{}, { subject: { organizations: ['o'] } }, 'the subject'],
  'another order of organizations is no change': [
    { subject: { organizations: ['a', 'b'] } },
    { subject: { organizations: ['b', 'a'] } },
    undefined,
  ],
  'one more DNS name': [{ dnsNames: ['a.example'] }, { dnsNames: ['a.example', 'b.example'] }, 'the names'],
  'another order of DNS names is no change': [
    { dnsNames: ['a.example', 'b.example'] },
    { dnsNames: ['b.example', 'a.example'] },
    undefined,
  ],
  'another spelling of an address is no change': [
    { ipAddresses: ['::1'] },
    { ipAddresses: ['0:0:0:0:0:0:0:1'] },
    undefined,
  ],
  'another letter case of a URI': [{ uris: ['spiffe://td/a'] }, { uris: ['spiffe://td/A'] }, 'the names'],
  'one more usage': [{}, { usages: ['digital signature', 'client auth', 'server auth'] }, 'the usages'],
  'another order of usages is no change': [{}, { usages: ['client auth', 'digital signature'] }, undefined],
  'another kind of key': [{}, { privateKey: { algorithm: 'Ed25519' } }, 'the private key'],
  'another size of key': [{}, { privateKey: { size: 384 } }, 'the private key'],
  'the default written out is no change': [
    {},
    { privateKey: { algorithm: 'ECDSA', size: 256 }, duration: '24h' },
    undefined,
  ],
  'another spelling of the duration is no change': [{ duration: '1h' }, { duration: '60m' }, undefined],
  'another duration': [{ duration: '1h' }, { duration: '61m' }, 'the duration is now 1h1m'],
  'another renewBefore is no change': [{}, { renewBefore: '1h' }, undefined],
  'another rotation policy is no change': [{}, { privateKey: { rotationPolicy: 'Never' } }, undefined],
  'another encoding of the key is no change': [{}, { privateKey: { encoding: 'PKCS1' } }, undefined],
};

for (const [sentence, [before, now, says]] of Object.entries(CHANGES)) {
  test(`held against the certificate: ${sentence}`, () => {
    const need = needs.differsFromSpec(changed(before, now));
    assert.is(need?.reason, says && 'SpecChanged');
    assert.ok(need === undefined || need.message.includes(says ?? ''), need?.message);
  });
}

test('a duration that was not recorded is no change', () => {
  const seen = asked({ duration: '1h' })
    .withSecret({ memory: { requestedDurationMs: undefined } })
    .build();
  assert.is(needs.differsFromSpec(seen), undefined);
});

table({
  'a certificate of another authority comes from elsewhere': {
    check: needs.comesFromElsewhere,
    seen: changed({}, { authorityRef: { name: 'other' } }),
    says: 'issued by CertificateAuthority/ca',
  },
  'a certificate of the other kind of authority comes from elsewhere': {
    check: needs.comesFromElsewhere,
    seen: changed({}, { authorityRef: { kind: 'ClusterCertificateAuthority', name: 'ca' } }),
    says: 'AuthorityChanged',
  },
  'a certificate of a CA that the authority has no longer comes from elsewhere': {
    check: needs.comesFromElsewhere,
    seen: anObserved()
      .withSecret({ certificate: { issuerFingerprint: 'gone', anchorFingerprints: ['gone'] } })
      .build(),
    says: 'does not lead to a CA of the authority',
  },
  'a certificate of the CA that signs does not come from elsewhere, whatever root was put above it': {
    check: needs.comesFromElsewhere,
    seen: anObserved()
      .withSecret({ certificate: { anchorFingerprints: ['gone'] } })
      .build(),
    says: undefined,
  },
  'until its trust is known an authority disowns nothing': {
    check: needs.comesFromElsewhere,
    seen: anObserved()
      .withSecret({ certificate: { issuerFingerprint: 'gone', anchorFingerprints: ['gone'] } })
      .from({ trust: { pem: '', hash: '', anchors: new Map() } })
      .build(),
    says: undefined,
  },
  'a certificate of its own authority does not come from elsewhere': {
    check: needs.comesFromElsewhere,
    seen: issued.build(),
    says: undefined,
  },
});

const asking = (moment: Date, memory = {}) => anObserved(aCertificate().renewAt(moment)).withSecret({ memory }).build();
table({
  'a renewal that was asked for after the last issue is due': {
    check: needs.renewalAsked,
    seen: asking(after(MINUTE)),
    now: after(MINUTE),
    says: 'RenewAt',
  },
  'a renewal that was asked for is not made before its moment': {
    check: needs.renewalAsked,
    seen: asking(after(MINUTE)),
    now: after(MINUTE - 1),
    says: undefined,
  },
  'a renewal that was asked for at the last issue was made by it': {
    check: needs.renewalAsked,
    seen: asking(NOW),
    now: after(HOUR),
    says: undefined,
  },
  'a renewal that was asked for before the last issue was made by it': {
    check: needs.renewalAsked,
    seen: asking(after(-HOUR)),
    now: after(HOUR),
    says: undefined,
  },
  'a renew-at is ignored where the moment of the last issue is unknown': {
    check: needs.renewalAsked,
    seen: asking(NOW, { issuedAt: undefined }),
    now: after(HOUR),
    says: undefined,
  },
});

const since = after(-10 * MINUTE);
const rotating = (issuerFingerprint: string, released = ['team/client']) =>
  anObserved()
    .withSecret({ certificate: { issuerFingerprint } })
    .from({
      generations: new Map([
        ['ca 1', { version: 1, signs: false }],
        ['ca 1 renewed', { version: 2, signs: true }],
        ['ca 2', { version: 2, signs: true }],
      ]),
      signing: aSigning({ version: 2, since, notAfter: after(365 * DAY), fingerprintSHA256: 'ca 2' }),
      released: new Set(released),
    })
    .build();

test('a certificate of a former generation is re-issued once its turn has come, not before', () => {
  assert.is(needs.signedByFormerGeneration(rotating('ca 1', [])), undefined);
  assert.is(needs.signedByFormerGeneration(rotating('ca 1', ['team/another', 'other/client'])), undefined);
  assert.is(needs.signedByFormerGeneration(rotating('ca 1'))?.reason, 'CARotated');
});

test('a certificate of the generation that signs is not re-issued, nor is one of an unknown issuer', () => {
  for (const issuer of ['ca 1 renewed', 'ca 2', 'another'])
    assert.is(needs.signedByFormerGeneration(rotating(issuer)), undefined);
});

test('a certificate of a former generation whose turn has not come is renewed when it is due', () => {
  assert.is(decide(rotating('ca 1', []), after(9.6 * HOUR - 1)).do, 'settle');
  const decision = decide(rotating('ca 1', []), after(12 * HOUR));
  assert.is('reason' in decision && decision.reason, 'Due');
});

test('a certificate is due at half of its day at the latest, and four tenths of it at the earliest', () => {
  assert.is(needs.isDue(issued.build(), after(9.6 * HOUR - 1)), undefined);
  assert.is(needs.isDue(issued.build(), after(12 * HOUR))?.reason, 'Due');
});

test('a certificate that ends with its CA is never due', () => {
  const seen = issued.from({ signing: aSigning({ since, notAfter: after(DAY) }) }).build();
  for (const hours of [12, 23.9, 24, 100]) assert.is(needs.isDue(seen, after(hours * HOUR)), undefined);
});

test.run();
