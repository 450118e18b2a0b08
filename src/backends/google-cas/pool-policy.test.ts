import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_NAMES } from '../../pki/san.ts';
import { describePolicy, readPolicy, uncarried } from './pool-policy.ts';

const BOTH = { allowSubjectPassthrough: true, allowSubjectAltNamesPassthrough: true };
const read = (issuancePolicy: object, template?: object) =>
  readPolicy('pool', { tier: 'ENTERPRISE', issuancePolicy }, template);
const identity = (fields: object) => ({ identity: { subject: {}, names: NO_NAMES, usages: [], ...fields } });

test('a pool without a policy carries everything', () => {
  const policy = readPolicy('pool', { tier: 'DEVOPS' }, undefined);
  assert.equal(policy, {
    isDevOps: true,
    maxLifetimeMs: undefined,
    carriesSubject: true,
    carriesNames: true,
    judgesNames: false,
  });
  assert.match(describePolicy(policy), 'none can be revoked');
});

test('the shorter life of pool and template counts', () => {
  assert.is(read({ maximumLifetime: '86400s' }, { maximumLifetime: '3600s' }).maxLifetimeMs, 3_600_000);
  assert.is(read({ maximumLifetime: '1.5s' }, {}).maxLifetimeMs, 1_500);
  assert.match(describePolicy(read({ maximumLifetime: '86400s' })), 'lives are cut to 24h');
});

test('what pool or template drop is refused by its field, and the rest is not', () => {
  const named = identity({ subject: { commonName: 'alice' } });
  const sans = identity({ names: { ...NO_NAMES, dnsNames: ['a.example.com'] } });
  const noSubject = read({ identityConstraints: { allowSubjectAltNamesPassthrough: true } });
  assert.match(uncarried('pool', noSubject, named) ?? '', /spec\.commonName .*allowSubjectPassthrough: true/);
  assert.is(uncarried('pool', noSubject, sans), undefined);
  const noNames = read({}, { identityConstraints: { allowSubjectPassthrough: true } });
  assert.match(uncarried('pool', noNames, sans) ?? '', /spec\.dnsNames .*allowSubjectAltNamesPassthrough: true/);
  assert.is(uncarried('pool', noNames, named), undefined);
});

test('a pool that can sign none of our requests is refused', () => {
  assert.throws(
    () => read({ allowedIssuanceModes: { allowConfigBasedIssuance: true } }),
    /allowCsrBasedIssuance: true/,
  );
  assert.throws(() => read({ identityConstraints: {} }), /drop both/);
  assert.is(read({ allowedIssuanceModes: { allowCsrBasedIssuance: true } }).carriesNames, true);
});

test('a CEL expression is told of', () => {
  const policy = read({ identityConstraints: { ...BOTH, celExpression: { expression: 'true' } } });
  assert.match(describePolicy(policy), 'CEL expression');
});

test.run();
