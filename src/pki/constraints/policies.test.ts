import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CaContent,
  extension,
  inhibitAnyPolicy,
  makePath,
  policies,
  policyConstraints,
  policyMappings,
} from '../../../test/pki/constrained.ts';
import { goVerdicts, javaVerdicts } from '../../../test/pki/judges/judges.ts';
import { NOW } from '../../../test/pki/make.ts';
import { ia5String, oid, sequence } from '../der.ts';
import { compileConstraints, constraintsProblem, pathConstraintsProblem, policiesToCopy } from './constraints.ts';

const ANY = '2.5.29.32.0';
const REQUIRED = policyConstraints(0, undefined);

function ca(...extensions: Buffer[]): CaContent {
  return { extensions };
}

const ROOT: CaContent = {};

function compiled(...issuers: CaContent[]) {
  return compileConstraints(makePath({}, ...issuers, ROOT).slice(1));
}

/** Each as [issuers below the root, nearest to the leaf first; the policies that a leaf must carry; whether any leaf can]. */
const CASES: Readonly<Record<string, readonly [readonly CaContent[], readonly string[], boolean]>> = {
  'no CA requires a policy': [[ca(policies(['1.2.3']))], [], true],
  'the signer requires one and has two': [[ca(policies(['1.2.3', '1.2.4']), REQUIRED)], ['1.2.3', '1.2.4'], true],
  'a CA above requires one after one more certificate': [
    [ca(policies(['1.2.3'])), ca(policies(['1.2.3', '1.2.4']), policyConstraints(1, undefined))],
    ['1.2.3'],
    true,
  ],
  'a CA requires one only after more certificates than there are': [
    [ca(policies(['1.2.3']), policyConstraints(2, undefined))],
    [],
    true,
  ],
  'the CAs have none in common': [[ca(policies(['1.2.3']), REQUIRED), ca(policies(['1.2.4']))], [], false],
  'a CA that requires one has none itself': [[ca(REQUIRED)], [], false],
  'the CA has anyPolicy': [[ca(policies([ANY]), REQUIRED)], [ANY], true],
  'the CA has anyPolicy and inhibits it below': [[ca(policies([ANY]), REQUIRED, inhibitAnyPolicy(0))], [], false],
  'anyPolicy of the signer is inhibited above': [
    [ca(policies([ANY]), REQUIRED), ca(policies(['1.2.3']), inhibitAnyPolicy(0))],
    [],
    false,
  ],
  'anyPolicy of the signer stands for what the CA above has': [
    [ca(policies([ANY]), REQUIRED), ca(policies(['1.2.3']))],
    ['1.2.3'],
    true,
  ],
  'a policy is mapped': [[ca(policies(['1.2.3']), policyMappings([['1.2.3', '1.2.9']]), REQUIRED)], ['1.2.9'], true],
  'the policy of the signer is mapped and mapping is inhibited above': [
    [
      ca(policies(['1.2.3']), policyMappings([['1.2.3', '1.2.9']]), REQUIRED),
      ca(policies([ANY]), policyConstraints(undefined, 0)),
    ],
    [],
    false,
  ],
};

// A plain leaf and one that copies, for each case.
const judged = Object.values(CASES).flatMap(([issuers, needed]) => [
  makePath({}, ...issuers, ROOT),
  makePath({ policies: needed }, ...issuers, ROOT),
]);
const go = goVerdicts(judged, NOW);
const java = javaVerdicts(judged, NOW);

for (const [index, [what, [issuers, needed, possible]]] of Object.entries(CASES).entries()) {
  test(`where ${what}, ${needed.length > 0 ? `a leaf with ${needed} is` : possible ? 'every leaf is' : 'no leaf is'} accepted, as Go and Java have it`, () => {
    const constraints = compiled(...issuers);
    assert.equal(policiesToCopy(constraints), needed);
    for (const [at, accepted] of [
      [2 * index, possible && needed.length === 0],
      [2 * index + 1, possible],
    ] as const) {
      const [leaf, ...rest] = judged[at] ?? [];
      assert.equal([go[at] === undefined, java[at] === undefined], [accepted, accepted]);
      assert.is(pathConstraintsProblem(rest) === undefined, possible);
      assert.ok(leaf);
      assert.is(constraintsProblem(constraints, leaf) === undefined, accepted);
    }
  });
}

test('a leaf without the policy that a CA requires is refused with the CA', () => {
  const zoo = { ...ca(policies(['1.2.3']), REQUIRED), subject: { commonName: 'Zoo' } };
  const [leaf, ...issuers] = makePath({ policies: ['1.2.7'] }, zoo, ROOT);
  assert.ok(leaf);
  assert.equal(constraintsProblem(compileConstraints(issuers), leaf), {
    field: 'policies',
    problem:
      'the CA CN=Zoo requires a certificate policy that all CAs of the path know; the certificate has only 1.2.7',
  });
});

test('policies of the anchor bind no leaf, since no verifier reads them', () => {
  const issuers = [ROOT, ca(policies(['1.2.3']), REQUIRED)];
  const path = makePath({}, ...issuers);
  assert.equal([...goVerdicts([path], NOW), ...javaVerdicts([path], NOW)], [undefined, undefined]);
  assert.is(pathConstraintsProblem(path.slice(1)), undefined);
  assert.equal(policiesToCopy(compileConstraints(path.slice(1))), []);
});

test('a mapping of anyPolicy makes the path bad', () => {
  const issuers = [ca(policies([ANY]), policyMappings([[ANY, '1.2.3']])), ROOT];
  const path = makePath({}, ...issuers);
  assert.match(pathConstraintsProblem(path.slice(1)) ?? '', /maps anyPolicy/);
  assert.ok(goVerdicts([path], NOW)[0] !== undefined && javaVerdicts([path], NOW)[0] !== undefined);
});

test('critical policies with qualifiers make the path bad, since Java refuses them', () => {
  const statement = sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), ia5String('https://zoo.example/cps')));
  const qualified = (critical: boolean) =>
    makePath({}, ca(extension('2.5.29.32', sequence(sequence(oid('1.2.3'), statement)), critical)), ROOT);
  const [bad, good] = [qualified(true), qualified(false)];
  assert.match(pathConstraintsProblem(bad.slice(1)) ?? '', /qualifiers, which Java refuses/);
  assert.is(pathConstraintsProblem(good.slice(1)), undefined);
  assert.equal(
    javaVerdicts([bad, good], NOW).map((verdict) => verdict === undefined),
    [false, true],
  );
});

test('a leaf copies at most 20 policies', () => {
  const many = Array.from({ length: 50 }, (_, index) => `1.2.3.${index + 1}`);
  assert.is(policiesToCopy(compiled(ca(policies(many), REQUIRED))).length, 20);
});

test('malformed policy extensions are refused', () => {
  const cases: readonly [string, string][] = [
    ['2.5.29.32', '3000'],
    ['2.5.29.32', '300a300306012a300306012a'],
    ['2.5.29.32', '30020500'],
    ['2.5.29.33', '3005300306012a'],
    ['2.5.29.36', '3003820100'],
    ['2.5.29.36', '30068001008001 00'.replace(' ', '')],
    ['2.5.29.36', '30038001ff'],
    ['2.5.29.54', '0201ff'],
    ['2.5.29.54', '3000'],
  ];
  for (const [id, value] of cases)
    assert.throws(() => makePath({}, ca(extension(id, Buffer.from(value, 'hex')))), /polic/i, `${id} ${value}`);
});

test.run();
