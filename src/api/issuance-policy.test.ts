import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from './certificate-authority.ts';
import type { AuthorityKind } from './client-certificate.ts';

const subject = { organizations: ['Example'] };
const KINDS: readonly AuthorityKind[] = ['CertificateAuthority', 'ClusterCertificateAuthority'];

/** The rules as the authority is read from the API server, or its problem. */
function read(kind: AuthorityKind, issuancePolicy?: unknown) {
  const spec = { secret: { name: 'pair' }, ...(issuancePolicy === undefined ? {} : { issuancePolicy }) };
  const resource = parseCertificateAuthority(kind, { metadata: { name: 'ca' }, spec });
  return isBrokenAuthority(resource) ? resource.problem : resource.issuanceRules;
}

test('without a policy a cluster authority has no rule, and a namespaced one asks for none', () => {
  assert.equal(read('ClusterCertificateAuthority'), []);
  assert.is(read('CertificateAuthority'), undefined);
});

test('a policy without rules allows nothing on either kind', () => {
  for (const kind of KINDS) assert.equal(read(kind, { rules: [] }), []);
});

test('rules are read in their order, those of the namespaced kind without namespaces', () => {
  const namespaces = { names: ['payments'] };
  const rules = ['b', 'a'].map((name) => ({ name, subject }));
  assert.equal(
    read('CertificateAuthority', { rules }),
    ['b', 'a'].map((name) => ({ name, namespaces: undefined, organizations: ['Example'] })),
  );
  assert.equal(
    read('ClusterCertificateAuthority', { rules: rules.map((rule) => ({ ...rule, namespaces })) }),
    ['b', 'a'].map((name) => ({ name, namespaces, organizations: ['Example'] })),
  );
});

const BROKEN: Readonly<Record<string, readonly [kind: AuthorityKind, policy: unknown, problem: RegExp]>> = {
  'no list of rules': ['CertificateAuthority', {}, /spec\.issuancePolicy must have required property 'rules'/],
  'a rule without a name': [
    'CertificateAuthority',
    { rules: [{ subject }] },
    /rules\.0 must have required property 'name'/,
  ],
  'a rule that allows nothing': ['CertificateAuthority', { rules: [{ name: 'a' }] }, /required property 'subject'/],
  'a rule of a cluster authority for no namespace': [
    'ClusterCertificateAuthority',
    { rules: [{ name: 'a', subject }] },
    /required property 'namespaces'/,
  ],
};

for (const [sentence, [kind, policy, problem]] of Object.entries(BROKEN))
  test(`an authority that was stored with ${sentence} is broken`, () => {
    assert.match(String(read(kind, policy)), problem);
  });

test.run();
