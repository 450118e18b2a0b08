import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../../test/unit/builders.ts';
import { denialOf, permissionOf, type RuleInNamespace } from './policy.ts';

const HERE = { serves: true };
const ELSEWHERE = { serves: false };
const UNKNOWN = { serves: undefined };

function rule(
  name: string,
  organizations: readonly string[],
  where: Pick<RuleInNamespace, 'serves'> = HERE,
): RuleInNamespace {
  return { rule: { name, namespaces: undefined, organizations }, ...where };
}

function asking(organizations: readonly string[], kind = 'ClusterCertificateAuthority') {
  return aCertificate({ authorityRef: { kind, name: 'platform' }, subject: { organizations } }).build();
}

const identityWith = (organizations: readonly string[]) => asking(organizations).spec.identity;

const CASES: Readonly<
  Record<string, readonly [rules: readonly RuleInNamespace[] | undefined, asked: readonly string[], is: string]>
> = {
  'an authority that asks for no rules allows everything': [undefined, ['a', 'b'], 'allowed'],
  'no organizations need no rule': [[], [], 'allowed'],
  'no organizations wait for no labels': [[rule('one', ['a'], UNKNOWN)], [], 'allowed'],
  'no rule allows no organization': [[], ['a'], 'denied'],
  'a rule allows each of its organizations': [[rule('one', ['a', 'b'])], ['b'], 'allowed'],
  'a rule allows several of its organizations in any order': [[rule('one', ['a', 'b', 'c'])], ['c', 'a'], 'allowed'],
  'a rule for another namespace allows nothing': [[rule('one', ['a'], ELSEWHERE)], ['a'], 'denied'],
  'two rules do not add up': [[rule('one', ['a']), rule('two', ['b'])], ['a', 'b'], 'denied'],
  'a later rule may fit': [[rule('one', ['a']), rule('two', ['a', 'b'])], ['a', 'b'], 'allowed'],
  'capitals differ': [[rule('one', ['Ops'])], ['ops'], 'denied'],
  'a value is no pattern': [[rule('one', ['*', '.*', 'o?s', '[o]ps'])], ['ops'], 'denied'],
  'a begin is not enough': [[rule('one', ['ops'])], ['ops-admins'], 'denied'],
  'a space more is another organization': [[rule('one', ['ops team'])], ['ops  team'], 'denied'],
  'composed and decomposed letters differ': [[rule('one', ['\u00e9'])], ['e\u0301'], 'denied'],
  'a rule by labels that are not known is waited for': [[rule('one', ['a'], UNKNOWN)], ['a'], 'pending'],
  'a rule behind one by unknown labels waits with it': [
    [rule('one', ['a'], UNKNOWN), rule('two', ['a'])],
    ['a'],
    'pending',
  ],
  'a rule in front of one by unknown labels decides': [
    [rule('one', ['a']), rule('two', ['a'], UNKNOWN)],
    ['a'],
    'allowed',
  ],
};

for (const [sentence, [rules, asked, is]] of Object.entries(CASES))
  test(sentence, () => assert.is(permissionOf(rules, identityWith(asked)).is, is));

test('a denial names the first organization that each rule for the namespace does not allow', () => {
  const rules = [rule('one', ['a']), rule('elsewhere', ['a', 'b'], ELSEWHERE), rule('two', ['c'])];
  assert.equal(permissionOf(rules, identityWith(['a', 'b'])), {
    is: 'denied',
    misfits: [
      { rule: 'one', field: 'subject.organizations', value: 'b' },
      { rule: 'two', field: 'subject.organizations', value: 'a' },
    ],
  });
});

const organization = fc.constantFrom('a', 'b', 'c', 'A', 'constructor', '__proto__');
const someRules = fc.array(
  fc.record({ allows: fc.uniqueArray(organization), serves: fc.constantFrom(true, false, undefined) }),
  { maxLength: 5 },
);

test('what is allowed, one rule that serves the namespace allows as a whole; what is denied, none does', () => {
  fc.assert(
    fc.property(someRules, fc.uniqueArray(organization, { minLength: 1 }), (some, asked) => {
      const { is } = permissionOf(
        some.map(({ allows, serves }, at) => rule(`rule-${at}`, allows, { serves })),
        identityWith(asked),
      );
      const fits = ({ allows, serves }: (typeof some)[number]) =>
        serves === true && asked.every((each) => new Set(allows).has(each));
      const firstUnknown = some.findIndex(({ serves }) => serves === undefined);
      const known = firstUnknown === -1 ? some : some.slice(0, firstUnknown);
      const expected = known.some(fits) ? 'allowed' : firstUnknown === -1 ? 'denied' : 'pending';
      assert.is(is, expected);
    }),
  );
});

test('another rule never denies, and another organization never allows', () => {
  const serving = fc.array(fc.uniqueArray(organization), { maxLength: 4 });
  fc.assert(
    fc.property(
      serving,
      fc.uniqueArray(organization),
      fc.uniqueArray(organization),
      organization,
      (some, one, asked, more) => {
        const rules = some.map((allows, at) => rule(`rule-${at}`, allows));
        const isAllowed = (each: typeof rules, names: readonly string[]) =>
          permissionOf(each, identityWith(names)).is === 'allowed';
        if (isAllowed(rules, asked)) assert.ok(isAllowed([...rules, rule('another', one)], asked));
        if (isAllowed(rules, [...asked, more])) assert.ok(isAllowed(rules, asked));
      },
    ),
  );
});

test('a denial names what each rule lacks, and the administrator to ask', () => {
  const misfits = [
    { rule: 'one', field: 'subject.organizations', value: 'b' },
    { rule: 'two', field: 'subject.organizations', value: 'a' },
  ] as const;
  assert.is(
    denialOf(asking(['a', 'b']), misfits),
    'no rule of ClusterCertificateAuthority platform allows namespace team all of spec.subject.organizations "a", "b": rule one does not list "b" in subject.organizations; rule two does not list "a" in subject.organizations; take out what is not needed, or ask a cluster administrator for a rule in spec.issuancePolicy of the authority that allows all of it',
  );
  assert.match(denialOf(asking(['a']), []), ': it has none for this namespace; take out');
  assert.match(denialOf(asking(['a'], 'CertificateAuthority'), []), 'ask an administrator of namespace team for');
});

test('a denial stays short, whatever was asked for and however many rules there are', () => {
  const value = '\u{1F600}\u202E'.repeat(16);
  const asked = Array.from({ length: 16 }, (_, at) => `${at}${value}`.slice(0, 64));
  const rules = Array.from({ length: 32 }, (_, at) => rule(`${at}`.padStart(63, 'r'), ['other']));
  const verdict = permissionOf(rules, identityWith(asked));
  assert.ok(verdict.is === 'denied' && verdict.misfits.length === 32);
  const text = denialOf(asking(asked), verdict.misfits);
  assert.match(text, '; 24 more rules do not fit either; take out');
  assert.ok(text.length <= 4_000, String(text.length));
  assert.not.match(text, '\u202E');
});

test.run();
