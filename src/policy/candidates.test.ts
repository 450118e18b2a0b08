import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { rulesOf } from '../../test/unit/rules-of.ts';
import { permissionOf } from './permission.ts';
import { askedOf } from './rule.ts';
import { rulesFor } from './rules.ts';

const LABELS = { tier: 'Gold' };
const pieces = [
  'a',
  'b',
  '.',
  '*',
  '{namespace}',
  '{name}',
  "{namespace.labels['tier']}",
  "{namespace.labels['none']}",
];
const pattern = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 }).map((all) => all.join(''));
const value = fc
  .array(fc.constantFrom('a', 'b', '.', 'team', 'client', 'gold', 'Gold'), { minLength: 1, maxLength: 4 })
  .map((all) => all.join(''));
const hostPattern = fc.constantFrom('h', '*', '{namespace}', "{namespace.labels['tier']}");
const rule = fc.record(
  {
    commonNames: fc.uniqueArray(pattern, { maxLength: 2 }),
    dnsNames: fc.uniqueArray(pattern, { maxLength: 2 }),
    uris: fc.uniqueArray(
      fc.tuple(hostPattern, pattern).map(([host, path]) => `x://${host}/${path}`),
      { maxLength: 2 },
    ),
    emailAddresses: fc.uniqueArray(
      fc.tuple(pattern, hostPattern).map(([local, host]) => `${local}@${host}.a`),
      { maxLength: 2 },
    ),
    ipAddresses: fc.constantFrom([], ['10.0.0.0/8'], ['::/0', '10.1.2.3']),
  },
  { requiredKeys: [] },
);
const host = fc
  .array(fc.constantFrom('a', 'b', 'team', 'client', 'gold'), { minLength: 1, maxLength: 3 })
  .map((all) => all.join('.'));
const oneHost = fc.constantFrom('h', 'team', 'gold');
const asked = fc.record(
  {
    commonName: value,
    dnsNames: fc.uniqueArray(host, { maxLength: 2 }),
    uris: fc.uniqueArray(
      fc.tuple(oneHost, value).map(([host, path]) => `x://${host}/${path}`),
      { maxLength: 1 },
    ),
    emailAddresses: fc.uniqueArray(
      fc.tuple(value, oneHost).map(([local, host]) => `${local}@${host}.a`),
      { maxLength: 1 },
    ),
    ipAddresses: fc.constantFrom([], ['10.1.2.3'], ['::1']),
  },
  { requiredKeys: ['commonName'] },
);

test('whatever the rules are, the one that decides is the first of all that fits', () => {
  let fitting = 0;
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 12 }), asked, fc.constantFrom(LABELS, undefined), (rules, spec, labels) => {
      const policy = rulesOf(rules);
      if (typeof policy === 'string') return;
      const resource = aCertificate({
        ...spec,
        dnsNames: (spec.dnsNames ?? []).map((each) => each.toLowerCase()),
      }).build();
      const fill = { namespace: 'team', name: 'client', labels: new Map(Object.entries(labels ?? {})) };
      const first = rulesFor(policy, 'team', labels).rules.find(
        (each) =>
          (each.rule.usesLabels && labels === undefined) ||
          each.rule.misfit(askedOf(resource.spec), fill) === undefined,
      )?.rule;
      const permission = permissionOf(policy, resource, labels);
      if (first === undefined) return assert.is(permission.is, 'denied');
      fitting += 1;
      if (permission.is !== 'allowed') return assert.equal([permission.is, labels], ['pending', undefined]);
      assert.is(permission.rule?.name, first.name);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(fitting > 300, String(fitting));
});

test('a label in capital letters is found in each part of a name', () => {
  const label = "{namespace.labels['tier']}";
  const cases = [
    [{ uris: [`x://${label}.example.com/*`] }, { uris: ['x://gold.example.com/a'] }],
    [{ uris: [`x://h/${label}/*`] }, { uris: ['x://h/Gold/a'] }],
    [{ uris: [`x://${label}/${label}`] }, { uris: ['x://gold/Gold'] }],
    [{ emailAddresses: [`${label}@${label}.com`] }, { emailAddresses: ['Gold@gold.com'] }],
    [{ emailAddresses: [`*@${label}.com`] }, { emailAddresses: ['a@gold.com'] }],
    [{ dnsNames: [`*.${label}.com`] }, { dnsNames: ['a.gold.com'] }],
  ];
  for (const [terms, names] of cases) {
    const resource = aCertificate({ commonName: 'a', ...names }).build();
    const permission = permissionOf(rulesOf([{ commonNames: ['a'], ...terms }]), resource, LABELS);
    assert.is(permission.is, 'allowed', JSON.stringify(terms));
  }
});

test.run();
