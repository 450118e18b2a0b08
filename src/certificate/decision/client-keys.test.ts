import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  aCertificate,
  after,
  anAuthority,
  anObserved,
  DAY,
  HOUR,
  NOW,
  PROPAGATION_MS,
} from '../../../test/unit/builders.ts';
import { aClientsOwn, aRequest } from '../../../test/unit/client-requests.ts';
import { acme } from '../../backends/acme.ts';
import { NO_NAMES } from '../../pki/san.ts';
import type { Decision } from '../observed.ts';
import { nextStatus } from '../status/status.ts';
import { decide } from './decide.ts';

const REMOTE = acme.capabilities;
const codeOf = (decision: Decision) => ('code' in decision ? decision.code : decision.do);
const messageOf = (decision: Decision) => ('message' in decision ? decision.message : '');

test('a first certificate is issued for a request that can be used, and for no other', () => {
  assert.is(decide(anObserved(aClientsOwn()).build(), NOW).do, 'issue');
  const unread = decide(anObserved(aClientsOwn({ problem: 'ConfigMap team/partner does not exist' })).build(), NOW);
  assert.equal([unread.do, codeOf(unread)], ['wait', 'CSRUnusable']);
  assert.match(messageOf(unread), 'ConfigMap team/partner does not exist');
  const beyond = aRequest({ names: { ...NO_NAMES, dnsNames: ['other.example\u001b[2J'] } });
  const uncovered = decide(anObserved(aClientsOwn(beyond)).build(), NOW);
  assert.is(codeOf(uncovered), 'CSRUnusable');
  assert.match(messageOf(uncovered), /in ConfigMap team\/partner, key client\.csr asks for "other\.example/);
  assert.not.match(messageOf(uncovered), '\u001b');
});

test('a request in the spec that can not be used is refused until the spec changes', () => {
  const { spec, ...resource } = aClientsOwn({ problem: 'it has no PEM block' });
  const csr = { kind: 'inline', pem: '' } as const;
  const decision = decide(anObserved({ ...resource, spec: { ...spec, csr } }).build(), NOW);
  assert.equal([decision.do, codeOf(decision)], ['refuse', 'CSRUnusable']);
});

test('a certificate over the key of the request is settled; a request with another key is issued at once', () => {
  const seen = anObserved(aClientsOwn()).withSecret();
  assert.is(decide(seen.build(), NOW).do, 'settle');
  const another = seen.build().with({ resource: aClientsOwn(aRequest({ publicKeyPin: 'another' })) });
  const decision = decide(another, NOW);
  assert.equal(decision.do === 'issue' && decision.reason, 'SpecChanged');
});

test('a renewal that is due waits for another key under Always, and for nothing under Never', () => {
  const always = anObserved(aClientsOwn()).withSecret().build();
  const waiting = decide(always, after(20 * HOUR));
  assert.equal([waiting.do, codeOf(waiting)], ['wait', 'NewCSRNeeded']);
  assert.match(messageOf(waiting), "put the client's next one into ConfigMap team/partner, key client.csr");
  assert.match(messageOf(waiting), 'the certificate ends at 2026-06-02T12:00:00Z');
  assert.is('recheckAt' in waiting && waiting.recheckAt, undefined);
  const kept = aClientsOwn(aRequest(), aCertificate({ privateKey: { rotationPolicy: 'Never' } }));
  const renewed = decide(anObserved(kept).withSecret().build(), after(20 * HOUR));
  assert.equal(renewed.do === 'issue' && renewed.reason, 'Due');
});

test('a certificate that ends while another key is waited for is Expired, and says what is missing', () => {
  const seen = anObserved(aClientsOwn()).withSecret().build();
  const now = after(25 * HOUR);
  const status = nextStatus(seen, decide(seen, now), undefined, now, PROPAGATION_MS);
  const { reason, message = '' } = status.conditions?.find(({ type }) => type === 'Ready') ?? {};
  assert.is(reason, 'Expired');
  assert.match(
    message,
    "put the client's next one into ConfigMap team/partner, key client.csr; the certificate ended at",
  );
});

test('what is not the calendar is issued over the same key under Always too', () => {
  const due = after(20 * HOUR);
  const asked = aClientsOwn(aRequest(), aCertificate().renewAt(after(19 * HOUR)));
  assert.is(decide(anObserved(asked).withSecret().build(), due).do, 'issue');
  assert.is(decide(anObserved(aClientsOwn()).build(), due).do, 'issue');
  const rotated = anObserved(aClientsOwn())
    .withSecret({ certificate: { issuerFingerprint: 'ca 0', anchorFingerprints: ['ca 1'] } })
    .from({
      generations: new Map([
        ['ca 0', { version: 0, signs: false }],
        ['ca 1', { version: 1, signs: true }],
      ]),
      released: new Set(['team/client']),
    });
  const decision = decide(rotated.build(), due);
  assert.equal(decision.do === 'issue' && decision.reason, 'CARotated');
});

test('a trust bundle that changes reaches a Secret that waits for another key', () => {
  const seen = anObserved(aClientsOwn()).withSecret({ trustBundleHash: 'hash 0' }).build();
  assert.is(decide(seen, after(20 * HOUR)).do, 'repair');
});

test('a key in other hands gets no certificate any more, whatever else has changed', () => {
  const resource = aClientsOwn();
  const seen = anObserved(resource).withSecret().build();
  const serials = [{ serialNumber: seen.held?.serialNumber ?? '', reason: 'keyCompromise' }] as const;
  const revoke = { serials, issuedBefore: undefined, unread: undefined };
  const asked = (spec: object) => seen.with({ resource: { ...resource, revoke, spec: { ...resource.spec, ...spec } } });
  assert.is(codeOf(decide(asked({}), NOW)), 'NewCSRNeeded');
  assert.is(codeOf(decide(asked({ durationMs: 3 * HOUR }), NOW)), 'NewCSRNeeded');
  const elsewhere = { authorityRef: { kind: 'CertificateAuthority', name: 'other' } };
  assert.is(codeOf(decide(asked(elsewhere), NOW)), 'NewCSRNeeded');
});

test('a fallback does not make up for another key', () => {
  const resource = aClientsOwn();
  const trouble = { code: 'AuthorityUnreachable', message: 'no answer' } as const;
  const fallback = { resource, authority: anAuthority(), permission: { is: 'allowed', rule: undefined } } as const;
  const seen = anObserved(resource).withSecret().from({ trouble }).build().with({ fallback });
  assert.is(codeOf(decide(seen, after(23.9 * HOUR))), 'NewCSRNeeded');
  const kept = aClientsOwn(aRequest(), aCertificate({ privateKey: { rotationPolicy: 'Never' } }));
  const other = decide(seen.with({ resource: kept, fallback: { ...fallback, resource: kept } }), after(23.9 * HOUR));
  assert.equal(other.do === 'issue' && other.byFallback, true);
});

test('an authority that gets the request as it is must find all names in it, and nothing else but usages', () => {
  const from = (request = aRequest()) =>
    decide(anObserved(aClientsOwn(request)).from({ capabilities: REMOTE }).build(), NOW);
  assert.is(from().do, 'issue');
  assert.is(codeOf(from(aRequest({ subject: {} }))), 'UnsupportedByAuthority');
  assert.match(messageOf(from(aRequest({ subject: {} }))), 'lacks "client" (commonName) of the spec');
  assert.is(codeOf(from(aRequest({ isCA: true }))), 'UnsupportedByAuthority');
  const more = aRequest({ furtherWishes: ['extension 1.2.3'] });
  assert.is(codeOf(from(more)), 'UnsupportedByAuthority');
  assert.match(messageOf(from(more)), 'extension 1.2.3; have the client ask without it');
  // Certwheel's own signature needs nothing of it but the key.
  const wishes = aRequest({ subject: {}, isCA: true, furtherWishes: ['extension 1.2.3'] });
  assert.is(decide(anObserved(aClientsOwn(wishes)).build(), NOW).do, 'issue');
});

test('the kind of the key of the request is judged, not that of the spec', () => {
  const rsa = aClientsOwn(aRequest({ keySpec: { algorithm: 'RSA', size: 2048 } }));
  const limits = { keyAlgorithms: ['ECDSA'] as const };
  assert.is(codeOf(decide(anObserved(rsa).from({ limits }).build(), NOW)), 'LimitExceeded');
  const usages = { usages: ['digital signature', 'key encipherment', 'client auth'] };
  assert.is(codeOf(decide(anObserved(aClientsOwn(aRequest(), aCertificate(usages))).build(), NOW)), 'InvalidSpec');
});

test('a Secret of the other type is refused with the command that deletes it, and still learns of a new CA', () => {
  const made = anObserved(aClientsOwn()).withSecret({ type: 'kubernetes.io/tls' });
  const refused = decide(made.build(), after(2 * DAY));
  assert.equal([refused.do, codeOf(refused)], ['refuse', 'SecretRefused']);
  assert.match(messageOf(refused), 'kubectl delete secret -n team client-tls');
  const keyless = decide(anObserved().withSecret({ type: 'Opaque' }).build(), NOW);
  assert.equal([keyless.do, codeOf(keyless)], ['refuse', 'SecretRefused']);
  const behind = anObserved(aClientsOwn()).withSecret({ type: 'kubernetes.io/tls', trustBundleHash: 'hash 0' });
  assert.is(decide(behind.build(), NOW).do, 'repair');
});

test.run();
