import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { rulesOf } from '../../test/unit/rules-of.ts';
import { denialOf, noOrganizationsOf } from './denial.ts';
import { permissionOf } from './permission.ts';

const HERE = { names: ['team'] };
const ELSEWHERE = { names: ['other'] };
const BY_LABELS = { selector: { matchLabels: { tier: 'a' } } };
const DNS = { dnsNames: ['*.team.svc'] };

type Case = readonly [rules: readonly object[], asked: object, is: string, labels?: Readonly<Record<string, string>>];

const name = { dnsNames: ['web.team.svc'] };
const CASES: Readonly<Record<string, Case>> = {
  'no rule allows nothing': [[], name, 'denied'],
  'a rule without names allows nothing': [[{}], name, 'denied'],
  'a name field that a rule lacks allows none of its kind': [[DNS], { ...name, uris: ['urn:a'] }, 'denied'],
  'a name field that a rule has is not required': [[{ ...DNS, uris: ['urn:a'] }], name, 'allowed'],
  'a rule allows several of its names': [[{ dnsNames: ['a', 'b', 'c'] }], { dnsNames: ['c', 'a'] }, 'allowed'],
  'a rule for another namespace allows nothing': [[{ ...DNS, namespaces: ELSEWHERE }], name, 'denied'],
  'two rules do not add up': [[{ dnsNames: ['a'] }, { dnsNames: ['b'] }], { dnsNames: ['a', 'b'] }, 'denied'],
  'a later rule may fit': [[{ dnsNames: ['a'] }, { dnsNames: ['a', 'b'] }], { dnsNames: ['a', 'b'] }, 'allowed'],
  'a duration at the limit fits': [[{ ...DNS, maxDuration: '24h' }], { ...name, duration: '24h' }, 'allowed'],
  'a duration above the limit does not fit': [
    [{ ...DNS, maxDuration: '24h' }],
    { ...name, duration: '24h1s' },
    'denied',
  ],
  'a key algorithm must be listed': [[{ ...DNS, keyAlgorithms: ['RSA'] }], name, 'denied'],
  'each usage must be listed': [
    [{ ...DNS, usages: ['client auth'] }],
    { ...name, usages: ['client auth', 'server auth'] },
    'denied',
  ],
  'a rule by labels that are not known is waited for': [[{ ...DNS, namespaces: BY_LABELS }], name, 'pending'],
  'a rule behind one by unknown labels waits with it': [[{ ...DNS, namespaces: BY_LABELS }, DNS], name, 'pending'],
  'a rule by unknown labels that would not fit is not waited for': [
    [{ dnsNames: ['a'], namespaces: BY_LABELS }, DNS],
    name,
    'allowed',
  ],
  'what fits no rule, whatever the labels are, is denied': [
    [{ dnsNames: ['a'], namespaces: BY_LABELS }],
    name,
    'denied',
  ],
  'a rule in front of one by unknown labels decides': [[DNS, { ...DNS, namespaces: BY_LABELS }], name, 'allowed'],
  'a pattern by labels that are not known is waited for': [
    [{ dnsNames: ["{namespace.labels['tier']}.svc"] }],
    { dnsNames: ['a.svc'] },
    'pending',
  ],
  'a pattern by a label is filled in': [
    [{ dnsNames: ["{namespace.labels['tier']}.svc"] }],
    { dnsNames: ['a.svc'] },
    'allowed',
    { tier: 'A' },
  ],
  'a pattern by a label that the namespace lacks fits nothing': [
    [{ dnsNames: ["{namespace.labels['tier']}.svc", "x{namespace.labels['constructor']}"] }],
    { dnsNames: ['x'] },
    'denied',
    {},
  ],
};

for (const [sentence, [rules, asked, is, labels]] of Object.entries(CASES))
  test(sentence, () => assert.is(permissionOf(rulesOf(rules), asking(asked), labels).is, is));

test('without a policy the cluster kind issues all but organizations, and the namespaced kind everything', () => {
  const [plain, member] = [asking(name), asking({ ...name, subject: { organizations: ['a'] } })];
  assert.is(permissionOf('NoOrganizations', plain, undefined).is, 'allowed');
  assert.is(permissionOf('NoOrganizations', member, undefined).is, 'noOrganizations');
  assert.is(permissionOf('Everything', member, undefined).is, 'allowed');
});

test('the first rule that fits is named', () => {
  const rules = rulesOf([{ dnsNames: ['x'] }, DNS, { dnsNames: ['*.team.svc', 'y'] }]);
  const permission = permissionOf(rules, asking(name), undefined);
  assert.ok(permission.is === 'allowed');
  assert.is(permission.rule?.name, 'rule-1');
});

const label = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__');
const someRules = fc.array(
  fc.record({ allows: fc.uniqueArray(label), serves: fc.constantFrom(HERE, ELSEWHERE, BY_LABELS) }),
  { maxLength: 5 },
);

test('what is allowed, one rule that serves the namespace allows as a whole; what is denied, none does', () => {
  fc.assert(
    fc.property(someRules, fc.uniqueArray(label, { minLength: 1 }), (some, organizations) => {
      const rules = rulesOf(
        some.map(({ allows, serves }) => ({
          namespaces: serves,
          commonNames: ['client'],
          subject: { organizations: allows },
        })),
      );
      const { is } = permissionOf(rules, asking({ commonName: 'client', subject: { organizations } }), undefined);
      const first = some.find(
        ({ allows, serves }) => serves !== ELSEWHERE && organizations.every((each) => allows.includes(each)),
      );
      assert.is(is, first === undefined ? 'denied' : first.serves === HERE ? 'allowed' : 'pending');
    }),
  );
});

test('another rule never denies, and another name never allows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(label), { maxLength: 4 }),
      fc.uniqueArray(label),
      fc.uniqueArray(label),
      label,
      (some, one, asked, more) => {
        const isAllowed = (lists: readonly string[][], organizations: readonly string[]) =>
          permissionOf(
            rulesOf(lists.map((each) => ({ commonNames: ['client'], subject: { organizations: each } }))),
            asking({ commonName: 'client', subject: { organizations } }),
            undefined,
          ).is === 'allowed';
        if (isAllowed(some, asked)) assert.ok(isAllowed([...some, one], asked));
        if (isAllowed(some, [...asked, more])) assert.ok(isAllowed(some, asked));
      },
    ),
  );
});

test('a denial names the first thing that each rule does not allow, what it allows there, and whom to ask', () => {
  const rules = [
    { name: 'teams', dnsNames: ['*.{namespace}.svc', 'a', 'b', 'c', 'd'] },
    { name: 'other', namespaces: ELSEWHERE, dnsNames: ['web.shop.svc'] },
    { name: 'short', dnsNames: ['web.shop.svc'], maxDuration: '1h' },
    { name: 'bare' },
  ];
  assert.is(
    denial(rules, { dnsNames: ['web.shop.svc'] }),
    'no rule of ClusterCertificateAuthority platform allows namespace team this certificate: rule teams does not allow "web.shop.svc" in dnsNames, but "*.team.svc", "a", "b", "c" and 1 more; rule short allows a duration of at most 1h, not 24h; rule bare allows no dnsNames, such as "web.shop.svc"; ask for what one rule allows as a whole, or ask a cluster administrator for a rule in spec.issuancePolicy of the authority',
  );
  assert.match(denial([], { dnsNames: ['a'] }), ': it has none for this namespace; ask for');
  assert.match(denial([{ uris: ['urn:*'] }], { uris: ['URN:a'] }), 'write "urn:a" instead of "URN:a" in uris');
});

test('organizations are denied with the reason where there are no rules', () => {
  assert.match(
    noOrganizationsOf(asking({ subject: { organizations: ['ops'] } })),
    /leave out .*"ops", or ask a cluster/,
  );
});

test('a denial stays short, whatever was asked for and however many rules there are', () => {
  const value = '\u{1F600}\u202E'.repeat(16);
  const organizations = Array.from({ length: 16 }, (_, at) => `${at}${value}`.slice(0, 64));
  const patterns = Array.from({ length: 32 }, (_, at) => `${at}${'\u{1F600}'.repeat(100)}`);
  const rules = Array.from({ length: 32 }, (_, at) => ({
    name: `${at}`.padStart(63, 'r'),
    commonNames: ['*'],
    subject: { organizations: patterns },
  }));
  const text = denial(rules, { commonName: 'client', subject: { organizations } });
  assert.match(text, /; \d+ more rules do not fit either; ask for/);
  assert.ok(text.length <= 8_000, String(text.length));
  assert.not.match(text, '\u202E');
});

function asking(spec: object) {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'platform' };
  return aCertificate({ authorityRef, commonName: undefined, ...spec }).build();
}

function denial(rules: readonly object[], asked: object): string {
  const resource = asking(asked);
  const permission = permissionOf(rulesOf(rules), resource, {});
  assert.ok(permission.is === 'denied');
  return denialOf(resource, permission);
}

test.run();
