/** What an authority refuses by its rules, its limits and its capabilities. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, anObserved, HOUR } from '../../../test/unit/builders.ts';
import { table } from '../../../test/unit/check-table.ts';
import { aRule } from '../../../test/unit/rules-of.ts';
import { OWN_CA_CAPABILITIES } from '../../backends/shared/own-ca.ts';
import { ALLOWED } from '../../policy/permission.ts';
import { deniedByPolicy } from './policy-refusals.ts';
import * as refusals from './refusals.ts';

const named = (spec: object) => anObserved(aCertificate(spec)).withSecret();

for (const name of [
  ...['system:admin', 'System:Masters', ' system:x', 'system:'],
  ...['kubeadm:cluster-admins', 'KubeAdm:Cluster-Admins', '\u00a0kubeadm:x', '\u212aubeadm:x', 'kubeadm:'],
  // Invisible characters, and letters that look alike or have the same capital.
  ...['\u200bsystem:x', '\u202esystem:x', 'sys\u00adtem:x', '\u017fystem:x', '\uff53ystem\uff1ax', '\u2060kubeadm:x'],
]) {
  test(`${JSON.stringify(name)} is an identity of Kubernetes, as a name and as a group`, () => {
    // The schema refuses the blank; a stored object may be older than the schema.
    const withName = (subject: object) => {
      const seen = anObserved().build();
      const { resource } = seen;
      const identity = { ...resource.spec.identity, subject };
      return { ...seen, resource: { ...resource, spec: { ...resource.spec, identity } } };
    };
    for (const subject of [{ commonName: name }, { organizations: ['team', name] }]) {
      assert.is(refusals.asksForSystemIdentity(withName(subject))?.code, 'SystemIdentityDenied');
      const allowed = anObserved()
        .from({ limits: { allowSystemIdentities: true } })
        .build();
      assert.is(refusals.asksForSystemIdentity({ ...withName(subject), authority: allowed.authority }), undefined);
    }
  });
}

const limited = (spec: object, limits: object) => named(spec).from({ limits }).build();

table({
  'a name with system in it is no identity of Kubernetes': {
    check: refusals.asksForSystemIdentity,
    seen: named({
      commonName: 'my-system:x',
      subject: { organizations: ['systems', 'kubeadm', 'kubernetes-admin'] },
    }).build(),
    says: undefined,
  },
  'what is permitted is not denied': {
    check: deniedByPolicy,
    seen: named({}).permitted(ALLOWED).build(),
    says: undefined,
  },
  'what has no place under its rule waits': {
    check: deniedByPolicy,
    seen: named({})
      .permitted({ is: 'full', rule: aRule({ name: 'web' }), most: 2 })
      .build(),
    says: '"do":"wait","code":"TooManyCertificates","message":"rule web of CertificateAuthority ca allows',
  },
  'what fits no rule is denied': {
    check: deniedByPolicy,
    seen: named({})
      .permitted({
        is: 'denied',
        misfits: [],
        others: 0,
        fill: { namespace: 'team', name: 'client', labels: new Map() },
      })
      .build(),
    says: '"do":"refuse","code":"DeniedByPolicy","message":"no rule of CertificateAuthority ca allows',
  },
  'organizations are denied where there are no rules': {
    check: deniedByPolicy,
    seen: named({ subject: { organizations: ['ops'] } })
      .permitted({ is: 'noOrganizations' })
      .build(),
    says: '"do":"refuse","code":"DeniedByPolicy","message":"CertificateAuthority ca has no rules',
  },
  'labels that decide and are not known are waited for': {
    check: deniedByPolicy,
    seen: named({}).permitted({ is: 'pending' }).build(),
    says: '"do":"wait","code":"AuthorityNotReady","message":"the issuance policy of CertificateAuthority/ca goes by the labels of namespace team',
  },
  'a duration at the limit is within it': {
    check: refusals.exceedsLimits,
    seen: limited({ duration: '2h' }, { maxDurationMs: 2 * HOUR }),
    says: undefined,
  },
  'a duration above the limit exceeds it': {
    check: refusals.exceedsLimits,
    seen: limited({ duration: '121m' }, { maxDurationMs: 2 * HOUR }),
    says: "duration 2h1m exceeds the authority's maxDuration 2h",
  },
  'a key that is not allowed exceeds the limits': {
    check: refusals.exceedsLimits,
    seen: limited({ privateKey: { algorithm: 'RSA' } }, { keyAlgorithms: ['ECDSA', 'Ed25519'] }),
    says: 'allows the key algorithms ECDSA, Ed25519, not RSA',
  },
  'a key that is allowed is within the limits': {
    check: refusals.exceedsLimits,
    seen: limited({}, { keyAlgorithms: ['ECDSA'] }),
    says: undefined,
  },
  'a usage that is not allowed exceeds the limits': {
    check: refusals.exceedsLimits,
    seen: limited({ usages: ['client auth', 'server auth'] }, { usages: ['client auth'] }),
    says: 'not server auth',
  },
  'usages that are allowed are within the limits': {
    check: refusals.exceedsLimits,
    seen: limited({ usages: ['client auth'] }, { usages: ['client auth', 'server auth'] }),
    says: undefined,
  },
});

const poor = {
  ...OWN_CA_CAPABILITIES,
  identity: ['commonName' as const],
  keyAlgorithms: ['ECDSA' as const],
  usages: ['client auth'],
  remote: false,
};
const UNSUPPORTED: Record<string, [spec: object, says: string | undefined]> = {
  'a common name alone is carried': [{ usages: ['client auth'] }, undefined],
  'an empty subject asks for nothing': [{ usages: ['client auth'], subject: { organizations: [] } }, undefined],
  'an organization is not carried': [{ usages: ['client auth'], subject: { organizations: ['o'] } }, 'spec.subject'],
  'a DNS name is not carried': [{ usages: ['client auth'], dnsNames: ['a.example'] }, 'spec.dnsNames'],
  'a URI is not carried': [{ usages: ['client auth'], uris: ['spiffe://x/y'] }, 'spec.uris'],
  'a mail address is not carried': [
    { usages: ['client auth'], emailAddresses: ['a@b.example'] },
    'spec.emailAddresses',
  ],
  'an IP address is not carried': [{ usages: ['client auth'], ipAddresses: ['::1'] }, 'spec.ipAddresses'],
  'an RSA key is not carried': [{ privateKey: { algorithm: 'RSA' } }, 'spec.privateKey.algorithm RSA'],
  'a usage is not carried': [{ usages: ['client auth', 'server auth'] }, 'spec.usages server auth'],
};

for (const [sentence, [spec, says]] of Object.entries(UNSUPPORTED)) {
  test(`${sentence} by an authority that can do little`, () => {
    const finding = refusals.unsupportedByAuthority(named(spec).from({ capabilities: poor }).build());
    assert.is(finding?.code, says && 'UnsupportedByAuthority');
    assert.ok(finding === undefined || finding.message.endsWith(`can't issue ${says}`), finding?.message);
  });
}

test.run();
