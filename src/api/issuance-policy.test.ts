import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from './certificate-authority.ts';
import type { AuthorityKind } from './client-certificate.ts';
import type { IssuanceRule, NameField } from './issuance-policy.ts';

const KINDS: readonly AuthorityKind[] = ['CertificateAuthority', 'ClusterCertificateAuthority'];

/** The policy as the authority is read from the API server, or its problem. */
function read(kind: AuthorityKind, issuancePolicy?: unknown) {
  const spec = { secret: { name: 'pair' }, ...(issuancePolicy === undefined ? {} : { issuancePolicy }) };
  const resource = parseCertificateAuthority(kind, { metadata: { name: 'ca' }, spec });
  return isBrokenAuthority(resource) ? resource.problem : resource.issuancePolicy;
}

test('without a policy a cluster authority issues no organizations, and a namespaced one everything', () => {
  assert.is(read('ClusterCertificateAuthority'), 'NoOrganizations');
  assert.is(read('CertificateAuthority'), 'Everything');
});

test('a policy without rules has none, on either kind', () => {
  for (const kind of KINDS) assert.equal(read(kind, { rules: [] }), []);
});

test('rules are read in their order, those of the namespaced kind without namespaces', () => {
  const namespaces = { names: ['payments'] };
  const rules = ['b', 'a'].map((name) => ({ name }));
  const rulesIn = (kind: AuthorityKind, list: readonly object[]) =>
    read(kind, { rules: list }) as readonly IssuanceRule[];
  assert.equal(
    rulesIn('CertificateAuthority', rules).map((each) => [each.name, each.namespaces]),
    [
      ['b', undefined],
      ['a', undefined],
    ],
  );
  const ofCluster = rulesIn(
    'ClusterCertificateAuthority',
    rules.map((rule) => ({ ...rule, namespaces })),
  );
  assert.equal(
    ofCluster.map((each) => [each.name, each.namespaces]),
    [
      ['b', namespaces],
      ['a', namespaces],
    ],
  );
});

test('each field of a rule is read, and a field that it lacks lists nothing and limits nothing', () => {
  const subject = {
    organizations: ['o'],
    organizationalUnits: ['ou'],
    countries: ['DE'],
    provinces: ['st'],
    localities: ['l'],
    streetAddresses: ['street'],
    postalCodes: ['1'],
    serialNumbers: ['2'],
  };
  const names = {
    commonNames: ['cn'],
    dnsNames: ['d'],
    uris: ['urn:a'],
    emailAddresses: ['a@b'],
    ipAddresses: ['::1'],
  };
  const limits = { maxDuration: '1h', keyAlgorithms: ['RSA'], usages: ['client auth'], maxCertificates: 3 };
  const [full, bare] = read('CertificateAuthority', {
    rules: [{ name: 'full', subject, ...names, ...limits, approval: 'Required' }, { name: 'bare' }],
  }) as readonly [IssuanceRule, IssuanceRule];
  const listed = ({ names: lists }: IssuanceRule) => Object.fromEntries(lists);
  const ofSubject = Object.entries(subject).map(([field, list]) => [`subject.${field}`, list]);
  assert.equal(listed(full), { ...names, ...Object.fromEntries(ofSubject) });
  for (const field of full.names.keys()) assert.equal(bare.names.get(field as NameField), []);
  const limitsOf = (rule: IssuanceRule) => [
    rule.maxDurationMs,
    rule.keyAlgorithms,
    rule.usages,
    rule.maxCertificates,
    rule.needsApproval,
  ];
  assert.equal(limitsOf(full), [3_600_000, ['RSA'], ['client auth'], 3, true]);
  assert.equal(limitsOf(bare), [undefined, undefined, undefined, undefined, false]);
});

const BROKEN: Readonly<Record<string, readonly [kind: AuthorityKind, policy: unknown, problem: RegExp]>> = {
  'no list of rules': ['CertificateAuthority', {}, /spec\.issuancePolicy must have required property 'rules'/],
  'a rule without a name': ['CertificateAuthority', { rules: [{}] }, /rules\.0 must have required property 'name'/],
  'a rule of a cluster authority for no namespace': [
    'ClusterCertificateAuthority',
    { rules: [{ name: 'a' }] },
    /required property 'namespaces'/,
  ],
};

for (const [sentence, [kind, policy, problem]] of Object.entries(BROKEN))
  test(`an authority that was stored with ${sentence} is broken`, () => {
    assert.match(String(read(kind, policy)), problem);
  });

test.run();
