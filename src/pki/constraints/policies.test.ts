import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CaContent, makePath } from '../../../test/pki/constrained.ts';
import { extension, policies, policyConstraints } from '../../../test/pki/write-extensions.ts';
import { compileConstraints, constraintsProblem, policiesToCopy } from './constraints.ts';

const REQUIRED = policyConstraints(0, undefined);

function ca(...extensions: Buffer[]): CaContent {
  return { extensions };
}

const ROOT: CaContent = {};

function compiled(...issuers: CaContent[]) {
  return compileConstraints(makePath({}, ...issuers, ROOT).slice(1));
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
