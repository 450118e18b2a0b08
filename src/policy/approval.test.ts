import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, DAY, HOUR, NOW } from '../../test/unit/builders.ts';
import { rulesOf } from '../../test/unit/rules-of.ts';
import {
  type CertificateApproval,
  type Decision,
  isUnread,
  parseCertificateApproval,
} from '../api/certificate-approval.ts';
import type { RawObject } from '../api/parse.ts';
import { lacksApproval } from '../certificate/decision/policy-refusals.ts';
import { approvalOf } from './approval.ts';
import { permissionOf } from './permission.ts';

const SPEC = {
  authorityRef: { kind: 'ClusterCertificateAuthority', name: 'platform' },
  commonName: 'client',
  subject: { organizations: ['a', 'b'] },
  dnsNames: ['one.example.com', 'two.example.com'],
  duration: '24h',
  usages: ['client auth', 'digital signature'],
};
const resource = aCertificate(SPEC).build();
const { authorityRef: _, ...REQUEST } = SPEC;

interface Changes {
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly uid?: string;
  readonly deletionTimestamp?: string;
}

function raw({ spec = {}, createdAt = NOW.toISOString(), uid = 'a1', ...metadata }: Changes = {}): RawObject {
  const annotations = { 'certwheel.io/approved-by': 'alice' };
  return {
    metadata: { namespace: 'team', name: 'ok', uid, annotations, creationTimestamp: createdAt, ...metadata },
    spec: {
      clientCertificateRef: { name: resource.name, uid: resource.uid },
      authorityRef: SPEC.authorityRef,
      request: REQUEST,
      decision: 'Approved',
      validUntil: after(DAY).toISOString(),
      ...spec,
    },
  };
}

function approval(changes: Changes = {}): CertificateApproval {
  const parsed = parseCertificateApproval(structuredClone(raw(changes)));
  if (parsed === undefined || isUnread(parsed)) throw new Error('it can not be read');
  return parsed;
}

function unread(changes: Changes = {}): Decision {
  const spec = { decision: 'Denied', validUntil: 'soon', ...changes.spec };
  const parsed = parseCertificateApproval(structuredClone(raw({ ...changes, spec })));
  if (parsed === undefined || !isUnread(parsed)) throw new Error('it can be read, or never counts');
  return parsed;
}

test('a decision on this very request counts, in whatever order and spelling', () => {
  assert.is(approvalOf(resource, [approval()])?.name, 'ok');
  const request = {
    ...REQUEST,
    subject: { organizations: ['b', 'a'] },
    dnsNames: ['TWO.example.com', 'one.example.com'],
    duration: '1440m',
    usages: ['digital signature', 'client auth'],
    privateKey: { algorithm: 'ECDSA', size: 256 },
  };
  assert.is(approvalOf(resource, [approval({ spec: { request } })])?.name, 'ok');
});

const NOT_ABOUT_IT: Readonly<Record<string, Changes>> = {
  'for a ClientCertificate that was made before under the same name': {
    spec: { clientCertificateRef: { name: resource.name, uid: 'former' } },
  },
  'for another authority': { spec: { authorityRef: { ...SPEC.authorityRef, name: 'other' } } },
  'for an authority of the other kind': { spec: { authorityRef: { kind: 'CertificateAuthority', name: 'platform' } } },
  'without the mark of the admission policy': { annotations: {} },
  'with a mark that is empty': { annotations: { 'certwheel.io/approved-by': '' } },
  'that is being deleted': { deletionTimestamp: NOW.toISOString() },
};

for (const [sentence, changes] of Object.entries(NOT_ABOUT_IT))
  test(`a decision ${sentence} does not count`, () => {
    assert.is(approvalOf(resource, [approval(changes)]), undefined);
  });

const OTHER_REQUESTS = fc.constantFrom<object>(
  { commonName: 'Client' },
  { commonName: undefined },
  { subject: { organizations: ['a'] } },
  { subject: { organizations: ['a', 'b', 'c'] } },
  { subject: { organizations: ['a', 'b'], organizationalUnits: ['finance'] } },
  { subject: { organizations: ['a', 'b'], serialNumber: '7' } },
  { dnsNames: ['one.example.com'] },
  { dnsNames: ['one.example.com', 'two.example.com', '*.example.com'] },
  { uris: ['spiffe://example.com/a'] },
  { emailAddresses: ['a@example.com'] },
  { ipAddresses: ['192.0.2.7'] },
  { duration: '25h' },
  { usages: ['client auth', 'digital signature', 'server auth'] },
  { privateKey: { algorithm: 'RSA' } },
  { privateKey: { size: 384 } },
);

test('a decision on another request never counts, whichever field differs', () => {
  fc.assert(
    fc.property(fc.array(OTHER_REQUESTS, { minLength: 1, maxLength: 4 }), (changes) => {
      const approvals = changes.map((each) => approval({ spec: { request: { ...REQUEST, ...each } } }));
      assert.is(approvalOf(resource, approvals), undefined);
      assert.is(approvalOf(resource, [...approvals, approval({ uid: 'real' })])?.uid, 'real');
    }),
  );
});

test('of several decisions on one request the newest counts', () => {
  const older = approval({ createdAt: after(-HOUR).toISOString(), uid: 'z', spec: { decision: 'Denied' } });
  const newer = approval({ createdAt: NOW.toISOString(), uid: 'a' });
  for (const all of [
    [older, newer],
    [newer, older],
  ])
    assert.is(approvalOf(resource, all)?.uid, 'a');
});

test('of an approval and a denial in the same second the denial counts, whatever their uids', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (one, other) => {
      const denied = approval({ uid: one, spec: { decision: 'Denied' } });
      for (const all of [
        [denied, approval({ uid: other })],
        [approval({ uid: other }), denied],
      ])
        assert.is(approvalOf(resource, all)?.uid, one);
    }),
  );
});

test('an approval that breaks the schema is none', () => {
  for (const spec of [
    { validUntil: 'soon' },
    { request: { duration: '1s' } },
    { request: 1 },
    // A later version may store what restricts the approval.
    { renewals: 1 },
    { request: { ...REQUEST, clientAddresses: [] } },
  ])
    assert.is(parseCertificateApproval(raw({ spec })), undefined, JSON.stringify(spec));
});

const UNREADABLE: readonly object[] = [
  { validUntil: 'soon' },
  // The API server admits this for format: date-time.
  { validUntil: '2126-01-01T00:00:00,5Z' },
  { validUntil: null },
  { decision: 'Perhaps' },
  { decision: undefined },
  { request: { duration: '1s' } },
  { request: 1 },
  { onlyUntilRevision: 2 },
  { authorityRef: { kind: 'Later', name: 'platform' } },
  { clientCertificateRef: { name: 'x'.repeat(10_000), uid: resource.uid } },
];

test('an approval that names the certificate otherwise than its uid says is none, and a denial is one', () => {
  const clientCertificateRef = { name: 'another', uid: resource.uid };
  assert.is(approvalOf(resource, [approval({ spec: { clientCertificateRef } })]), undefined);
  const denial = approval({ spec: { clientCertificateRef, decision: 'Denied' } });
  assert.is(approvalOf(resource, [denial]), denial);
});

test('a decision that breaks the schema and may be a denial is no approval, nor does an older approval count', () => {
  const older = approval({ createdAt: after(-HOUR).toISOString(), uid: 'z' });
  for (const spec of UNREADABLE) {
    const broken = unread({ spec });
    assert.is(approvalOf(resource, [older, broken]), broken, JSON.stringify(spec));
    const [outcome, why] = refusal([older, broken]) ?? [];
    assert.is(outcome, 'wait ApprovalPending');
    assert.match(why ?? '', "CertificateApproval ok, which may deny this request, can't be read: ");
    assert.ok(JSON.stringify(broken).length < 1_500);
    const newer = approval({ createdAt: after(HOUR).toISOString(), uid: 'n' });
    assert.is(approvalOf(resource, [newer, broken]), newer, 'a later decision counts');
  }
});

test('what breaks the schema and is about nothing, or has no mark, keeps nothing from being issued', () => {
  const ref = (clientCertificateRef: unknown) => ({ decision: 'Denied', clientCertificateRef });
  for (const spec of [ref(undefined), ref(null), ref(1), ref({ uid: 7 }), ref({ name: 'a', uid: 'x'.repeat(65) })])
    assert.is(parseCertificateApproval(raw({ spec })), undefined, JSON.stringify(spec));
  assert.is(approvalOf(resource, [unread({ annotations: {} })]), undefined);
  assert.is(approvalOf(resource, [unread({ deletionTimestamp: NOW.toISOString() })]), undefined);
  assert.is(approvalOf(resource, [unread({ spec: ref({ name: resource.name, uid: 'another' }) })]), undefined);
});

const policy = rulesOf([
  {
    name: 'seen',
    commonNames: ['*'],
    dnsNames: ['*.example.com'],
    subject: { organizations: ['*'] },
    approval: 'Required',
  },
]);

/** What keeps the certificate from being issued with these decisions, as `do Reason`, and why. */
function refusal(approvals: readonly Decision[] | 'leftOut' | undefined, now = NOW) {
  const permission = permissionOf(policy, resource, {}, approvals && (() => approvals));
  const found = lacksApproval({ resource, permission }, now);
  return found && ([`${found.do} ${found.code}`, found.message] as const);
}

const OUTCOMES: Readonly<Record<string, readonly [Decision[] | 'leftOut' | undefined, string | undefined, RegExp?]>> = {
  'a request without a decision waits': [[], 'wait ApprovalPending', /rule seen of .*platform issues only what was/],
  'a request that was approved is issued': [[approval()], undefined],
  'a request that was denied is refused, with the reason in one line': [
    [approval({ spec: { decision: 'Denied', reason: 'ask\nfinance \u202E first' } })],
    'refuse ApprovalDenied',
    /alice denied this request with CertificateApproval ok: "ask finance first"/,
  ],
  'a request waits where its namespace has more decisions than are kept': [
    'leftOut',
    'wait ApprovalPending',
    /more CertificateApprovals than are kept/,
  ],
  'a request waits where nothing keeps users from forging approvals': [
    undefined,
    'wait ApprovalPending',
    /approvals.enabled/,
  ],
};

for (const [sentence, [approvals, outcome, why = /^/]] of Object.entries(OUTCOMES))
  test(sentence, () => {
    const found = refusal(approvals);
    assert.is(found?.[0], outcome);
    assert.match(found?.[1] ?? '', why);
  });

test('an approval holds until its end', () => {
  assert.is(refusal([approval()], after(DAY - 1_000)), undefined);
  const [outcome, why] = refusal([approval()], after(DAY)) ?? [];
  assert.is(outcome, 'wait ApprovalPending');
  assert.match(why ?? '', 'CertificateApproval ok was valid until 2026-06-02T12:00:00Z');
});

test('a rule without approval asks for none', () => {
  const open = rulesOf([{ commonNames: ['*'], dnsNames: ['*.example.com'], subject: { organizations: ['*'] } }]);
  const permission = permissionOf(open, resource, {}, () => []);
  assert.is(permission.is, 'allowed');
  assert.is(lacksApproval({ resource, permission }, NOW), undefined);
});

test.run();
