import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CertificateAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import { AUTHORITY_CONDITIONS } from './status.ts';
import { unrestricted } from './unrestricted.ts';

const RULES = { rules: [{ name: 'any', namespaces: { all: true }, commonNames: ['*'] }] };

function conditionOf(spec: object, kind: AuthorityKind = 'ClusterCertificateAuthority') {
  const object = { metadata: { name: 'platform' }, spec: { secret: { name: 'pair' }, ...spec } };
  return unrestricted(parseCertificateAuthority(kind, object) as CertificateAuthority)[0];
}

const CASES: readonly (readonly [string, spec: object, isUnrestricted: boolean])[] = [
  ['all namespaces', { allowedNamespaces: { all: true } }, true],
  ['a selector', { allowedNamespaces: { selector: { matchLabels: { a: 'b' } } } }, true],
  ['two names', { allowedNamespaces: { names: ['a', 'b'] } }, true],
  ['a name and a selector', { allowedNamespaces: { names: ['a'], selector: {} } }, true],
  ['one name', { allowedNamespaces: { names: ['a'] } }, false],
  ['no namespace', {}, false],
  ['all namespaces by rules', { allowedNamespaces: { all: true }, issuancePolicy: RULES }, false],
  [
    'all namespaces by an empty list of rules',
    { allowedNamespaces: { all: true }, issuancePolicy: { rules: [] } },
    false,
  ],
];

for (const [sentence, spec, isUnrestricted] of CASES)
  test(`a cluster authority for ${sentence} ${isUnrestricted ? 'is' : 'is not'} unrestricted`, () => {
    assert.is(conditionOf(spec)?.reason, isUnrestricted ? 'NoIssuancePolicy' : undefined);
  });

test('an authority of one namespace needs no rules', () => {
  assert.is(conditionOf({}, 'CertificateAuthority'), undefined);
});

test('the condition is one of those that Certwheel takes back, and says what to do', () => {
  const condition = conditionOf({ allowedNamespaces: { all: true } });
  assert.ok(AUTHORITY_CONDITIONS.includes(condition?.type ?? ''));
  assert.match(condition?.message ?? '', 'list in spec.issuancePolicy.rules which names each namespace may have');
});

test.run();
