/** Go and Java check policies, and so does Certwheel; OpenSSL does so only where it is asked to. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ia5String, oid, sequence } from '../../../src/pki/asn1/write.ts';
import {
  compileConstraints,
  pathConstraintsProblem,
  policiesToCopy,
} from '../../../src/pki/constraints/constraints.ts';
import { type CaContent, makePath } from '../constrained.ts';
import { refusalOf } from '../verifiers/judges.ts';
import { extension, inhibitAnyPolicy, policies, policyConstraints, policyMappings } from '../write-extensions.ts';
import { ask, judges, leafProblem } from './ask.ts';

test.after(judges.stop);

const ANY = '2.5.29.32.0';
const REQUIRED = policyConstraints(0, undefined);
const ROOT: CaContent = {};

function ca(...extensions: Buffer[]): CaContent {
  return { extensions };
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

for (const [what, [issuers, needed, possible]] of Object.entries(CASES)) {
  test(`where ${what}, ${needed.length > 0 ? `a leaf with ${needed} is` : possible ? 'every leaf is' : 'no leaf is'} accepted, as Go and Java have it`, async () => {
    for (const [policies, accepted] of [
      [[], possible && needed.length === 0],
      [needed, possible],
    ] as const) {
      const path = makePath({ policies }, ...issuers, ROOT);
      const { go, java } = await ask(path);
      assert.equal([go === null, java === null], [accepted, accepted]);
      assert.is(leafProblem(path) === undefined, accepted);
      const above = path.slice(1);
      assert.is(pathConstraintsProblem(above) === undefined, possible);
      assert.equal(policiesToCopy(compileConstraints(above)), needed);
    }
  });
}

test('policies of the anchor bind no leaf, since no verifier reads them', async () => {
  const issuers = [ROOT, ca(policies(['1.2.3']), REQUIRED)];
  const path = makePath({}, ...issuers);
  assert.is(refusalOf(await ask(path)), null);
  assert.is(pathConstraintsProblem(path.slice(1)), undefined);
  assert.equal(policiesToCopy(compileConstraints(path.slice(1))), []);
});

test('a mapping of anyPolicy makes the path bad', async () => {
  const issuers = [ca(policies([ANY]), policyMappings([[ANY, '1.2.3']])), ROOT];
  const path = makePath({}, ...issuers);
  assert.match(pathConstraintsProblem(path.slice(1)) ?? '', /maps anyPolicy/);
  const { go, java } = await ask(path);
  assert.ok(go !== null && java !== null);
});

test('critical policies with qualifiers make the path bad, since Java refuses them', async () => {
  const statement = sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), ia5String('https://zoo.example/cps')));
  const qualified = (critical: boolean) =>
    makePath({}, ca(extension('2.5.29.32', sequence(sequence(oid('1.2.3'), statement)), critical)), ROOT);
  const [bad, good] = [qualified(true), qualified(false)];
  assert.match(pathConstraintsProblem(bad.slice(1)) ?? '', /qualifiers, which Java refuses/);
  assert.is(pathConstraintsProblem(good.slice(1)), undefined);
  assert.is.not((await ask(bad)).java, null);
  assert.is((await ask(good)).java, null);
});

test.run();
