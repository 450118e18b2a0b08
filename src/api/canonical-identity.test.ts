import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root } from '../../test/pki/make.ts';
import { arbitrarySpec } from '../../test/unit/arbitrary-spec.ts';
import { aCertificate } from '../../test/unit/builders.ts';
import { NO_NAMES } from '../pki/san.ts';
import { canonicalIdentity } from './canonical-identity.ts';
import type { Identity } from './client-certificate.ts';

const ca = await root();

function identity(changes: Partial<Identity> = {}): Identity {
  return { subject: { commonName: 'client' }, names: NO_NAMES, usages: ['client auth'], ...changes };
}

function names(changes: Partial<Identity['names']>): Partial<Identity> {
  return { names: { ...NO_NAMES, ...changes } };
}

const EQUAL: Record<string, [one: Partial<Identity>, other: Partial<Identity>]> = {
  'the order of organizations': [
    { subject: { organizations: ['a', 'b'] } },
    { subject: { organizations: ['b', 'a'] } },
  ],
  'an empty list and none': [{ subject: { commonName: 'c', organizations: [] } }, { subject: { commonName: 'c' } }],
  'the order of the fields': [
    { subject: { commonName: 'c', countries: ['DE'] } },
    { subject: { countries: ['DE'], commonName: 'c' } },
  ],
  'the order of names': [names({ dnsNames: ['a.x', 'b.x'] }), names({ dnsNames: ['b.x', 'a.x'] })],
  'the letter case of DNS names': [names({ dnsNames: ['A.x'] }), names({ dnsNames: ['a.x'] })],
  'the spelling of addresses': [names({ ipAddresses: ['::1'] }), names({ ipAddresses: ['0:0::0001'] })],
  'a name that is said twice': [names({ uris: ['a:b', 'a:b'] }), names({ uris: ['a:b'] })],
  'the order of usages': [{ usages: ['a', 'b'] }, { usages: ['b', 'a', 'b'] }],
};

for (const [sentence, [one, other]] of Object.entries(EQUAL)) {
  test(`${sentence} makes no other identity`, () => {
    assert.equal(canonicalIdentity(identity(one)), canonicalIdentity(identity(other)));
  });
}

const DIFFERENT: Record<string, [one: Partial<Identity>, other: Partial<Identity>]> = {
  'a common name and an organization of that name': [
    { subject: { commonName: 'a' } },
    { subject: { organizations: ['a'] } },
  ],
  'one organization with a comma and two': [
    { subject: { organizations: ['a,b'] } },
    { subject: { organizations: ['a', 'b'] } },
  ],
  'one organization twice and once': [
    { subject: { organizations: ['a', 'a'] } },
    { subject: { organizations: ['a'] } },
  ],
  'the letter case of a common name': [{ subject: { commonName: 'A' } }, { subject: { commonName: 'a' } }],
  'the letter case of a URI': [names({ uris: ['spiffe://td/A'] }), names({ uris: ['spiffe://td/a'] })],
  'a DNS name and a mail address': [names({ dnsNames: ['a.x'] }), names({ emailAddresses: ['a.x'] })],
  'one usage more': [{ usages: ['client auth'] }, { usages: ['client auth', 'server auth'] }],
};

for (const [sentence, [one, other]] of Object.entries(DIFFERENT)) {
  test(`${sentence} are two identities`, () => {
    assert.not.equal(canonicalIdentity(identity(one)), canonicalIdentity(identity(other)));
  });
}

test('the identity of a certificate is equal to the identity of its spec', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec, async (spec) => {
      const { identity: asked } = aCertificate(spec).build().spec;
      const { certificate } = await leaf(ca, asked);
      assert.equal(canonicalIdentity(certificate), canonicalIdentity(asked));
    }),
    { numRuns: 150 },
  );
});

test.run();
