import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { rulesOf } from '../../test/unit/rules-of.ts';
import { allowsNamespace } from '../api/certificate-authority.ts';
import { askedOf } from './rule.ts';
import { rulesFor } from './rules.ts';

const namespaces = fc.constantFrom<object>(
  { all: true },
  { names: ['team'] },
  { names: ['other'] },
  { selector: { matchLabels: { tier: 'gold' } } },
  { selector: { matchLabels: { tier: 'silver' } } },
);
const rule = fc.record({
  namespaces,
  commonNames: fc.uniqueArray(fc.constantFrom('a.*', '{namespace}.*', "{namespace.labels['tier']}.b", 'a.b', '*.b'), {
    minLength: 1,
    maxLength: 3,
  }),
});
const policyOf = (rules: readonly object[]) => {
  const policy = rulesOf(rules);
  if (typeof policy === 'string') throw new Error('it has rules');
  return policy;
};

test('among the candidates are all rules that serve the namespace and fit, in their order, and none that serves others', () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 12 }),
      fc.constantFrom('team', 'third'),
      fc.constantFrom({ tier: 'gold' }, undefined),
      fc.constantFrom('a.b', 'team.b', 'gold.b', 'x.y'),
      (rules, namespace, labels, commonName) => {
        const asked = askedOf(aCertificate({ commonName }).build().spec);
        const fill = { namespace, name: 'client', labels: new Map(Object.entries(labels ?? {})) };
        const serving = rulesFor(policyOf(rules), namespace, labels);
        const candidates = serving.candidates(asked);
        const serves = (each: (typeof candidates)[number]['rule']) =>
          allowsNamespace(each.terms.namespaces, namespace, labels);
        for (const each of [...candidates, ...serving.rules])
          assert.is(each.serves ?? 'unknown', serves(each.rule) ?? 'unknown');
        assert.equal(
          serving.certain,
          serving.rules.flatMap((each) => (each.serves ? [each.rule] : [])),
        );
        const names = candidates.map((each) => each.rule.name);
        const inOrder = serving.rules.map((each) => each.rule.name).filter((name) => names.includes(name));
        assert.equal(names, inOrder);
        for (const each of serving.rules)
          if (each.rule.misfit(asked, fill) === undefined) assert.ok(names.includes(each.rule.name), each.rule.name);
        found += names.length;
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(found > 1_000, String(found));
});

test('rules without placeholders weigh little in each namespace, so that a thousand for a thousand namespaces are kept', () => {
  const policy = policyOf(
    Array.from({ length: 1_000 }, (_, at) => ({ uris: [`spiffe://example.com/ns/other-${at}/*`] })),
  );
  const [first, other] = ['one', 'two'].map((namespace) => rulesFor(policy, namespace, undefined));
  assert.ok((first?.weight ?? 50) < 20, String(first?.weight));
  assert.is.not(first, other);
  assert.is(rulesFor(policy, 'one', undefined), first);
});

test.run();
