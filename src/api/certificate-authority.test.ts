import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AllowedNamespaces,
  allowsNamespace,
  authorityConditions,
  authorityKey,
  authorityResource,
  isBrokenAuthority,
  parseCertificateAuthority,
} from './certificate-authority.ts';
import { CERTIFICATE_AUTHORITIES, CLUSTER_CERTIFICATE_AUTHORITIES } from './names.ts';

const metadata = { namespace: 'team', name: 'ca', uid: 'u', resourceVersion: '1', generation: 1 };

function parsed(spec: object, kind: 'CertificateAuthority' | 'ClusterCertificateAuthority' = 'CertificateAuthority') {
  const resource = parseCertificateAuthority(kind, { metadata, spec: structuredClone(spec) });
  if (isBrokenAuthority(resource)) throw new Error(resource.problem);
  return resource;
}

test('an authority is its one backend, and has no limits unless it says so', () => {
  const { type, backend, limits, allowedNamespaces, kind } = parsed({ secret: { name: 'pair' } });
  assert.equal([kind, type, backend], ['CertificateAuthority', 'secret', { name: 'pair', partialChain: false }]);
  assert.equal(limits, {
    maxDurationMs: undefined,
    keyAlgorithms: undefined,
    usages: undefined,
    allowSystemIdentities: false,
  });
  assert.is(allowedNamespaces, undefined);
});

test('the defaults of a backend are filled in', () => {
  const { type, backend } = parsed({ selfManaged: { commonName: 'My CA' } });
  assert.is(type, 'selfManaged');
  const { commonName, duration, privateKey } = backend as Record<string, unknown>;
  assert.equal([commonName, typeof duration, privateKey], ['My CA', 'string', { algorithm: 'ECDSA' }]);
});

test('limits are read', () => {
  const limits = { maxDuration: '48h', keyAlgorithms: ['RSA'], usages: ['client auth'] };
  assert.equal(parsed({ secret: { name: 'p' }, limits, allowSystemIdentities: true }).limits, {
    maxDurationMs: 172_800_000,
    keyAlgorithms: ['RSA'],
    usages: ['client auth'],
    allowSystemIdentities: true,
  });
});

test('a quota is read in each of its spans; the default is a day', () => {
  const quotaOf = (quota: object) => parsed({ secret: { name: 'p' }, quota }).quota;
  assert.is(parsed({ secret: { name: 'p' } }).quota, undefined);
  assert.equal(quotaOf({ issuances: 5 }), { issuances: 5, perMs: 86_400_000 });
  assert.equal(
    ['Hour', 'Day', 'Week', 'Month'].map((per) => (quotaOf({ issuances: 5, per })?.perMs ?? 0) / 3_600_000),
    [1, 24, 168, 720],
  );
});

test('the rate of the re-issue after a change of the CA is read; the default is 20 a second, and 10 that may fail', () => {
  const reissueOf = (caRotation?: object) => parsed({ secret: { name: 'p' }, caRotation }).caRotation.reissue;
  const usual = { requests: 20, perMs: 1_000, maxFailures: 10 };
  assert.equal([reissueOf(), reissueOf({}), reissueOf({ reissue: {} })], [usual, usual, usual]);
  const reissue = { requests: 5, per: '1m30s', maxFailures: 3 };
  assert.equal(reissueOf({ reissue }), { requests: 5, perMs: 90_000, maxFailures: 3 });
});

test('the backend is found wherever it stands among the other fields', () => {
  const spec = {
    limits: {},
    rateLimit: { requests: 1, per: 'Second' },
    quota: { issuances: 1 },
    secret: { name: 'p' },
    allowSystemIdentities: false,
    issuancePolicy: { rules: [] },
  };
  assert.is(parsed(spec).type, 'secret');
});

test('a field that only a later version knows is no backend', () => {
  assert.is(parsed({ approval: { required: true }, secret: { name: 'p' } }).type, 'secret');
});

test('a cluster authority serves no namespace unless it says so', () => {
  const { allowedNamespaces } = parsed({ secret: { name: 'p' } }, 'ClusterCertificateAuthority');
  assert.equal(allowedNamespaces, { names: [] });
  assert.not(allowsNamespace(allowedNamespaces, 'team', {}));
});

test('a field of a rule that only a later version knows may be a restriction, so its authority is broken', () => {
  const problemOf = (rule: object) => {
    const namespaces = { all: true as const };
    const spec = { secret: { name: 'p' }, issuancePolicy: { rules: [{ name: 'a', namespaces, ...rule }] } };
    const authority = parseCertificateAuthority('ClusterCertificateAuthority', { spec });
    return isBrokenAuthority(authority) ? authority.problem : undefined;
  };
  assert.is(problemOf({ subject: { countries: ['DE'] } }), undefined);
  for (const [path, rule] of Object.entries({
    forbidden: { forbidden: [] },
    'namespaces.except': { namespaces: { all: true, except: ['a'] } },
    'subject.titles': { subject: { titles: ['x'] } },
  }))
    assert.match(problemOf(rule) ?? '', `spec.issuancePolicy.rules[0].${path} is a field that this version`);
});

const BROKEN: Record<string, [spec: unknown, problem: string]> = {
  'a limit that only a later version knows': [
    { secret: { name: 'p' }, limits: { maxNames: 1 } },
    'spec.limits.maxNames is a field that this version of Certwheel does not know',
  ],
  'no spec': [undefined, 'spec must be object'],
  'no backend': [{}, 'spec names no backend'],
  'nothing but limits': [{ limits: {} }, 'spec names no backend'],
  'a backend that is no object': [{ secret: 'pair' }, 'spec.secret must be object'],
  'a backend without a name': [{ secret: {} }, 'spec.secret'],
  'a limit in days': [{ secret: { name: 'p' }, limits: { maxDuration: '7d' } }, 'spec.limits.maxDuration'],
  'an unknown algorithm': [
    { secret: { name: 'p' }, limits: { keyAlgorithms: ['DSA'] } },
    'spec.limits.keyAlgorithms.0',
  ],
};

for (const [sentence, [spec, problem]] of Object.entries(BROKEN)) {
  for (const kind of ['CertificateAuthority', 'ClusterCertificateAuthority'] as const) {
    test(`a stored ${kind} with ${sentence} is broken, and keeps its status`, () => {
      const status = { conditions: [] };
      const resource = parseCertificateAuthority(kind, { metadata, spec, status });
      assert.ok(isBrokenAuthority(resource) && resource.problem.includes(problem), JSON.stringify(resource));
      assert.equal([resource.kind, resource.name, authorityConditions(resource.status)], [kind, 'ca', []]);
    });
  }
}

test('any stored spec and status give an authority, or a broken one with its problem', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (spec, status) => {
      const resource = parseCertificateAuthority('ClusterCertificateAuthority', { metadata, spec, status });
      authorityConditions(resource.status);
      assert.is.not(isBrokenAuthority(resource) ? resource.problem : resource.type, '');
      assert.is(authorityKey(resource), 'ClusterCertificateAuthority/ca');
    }),
    { numRuns: 500 },
  );
});

test('the two kinds never share a key', () => {
  const key = (kind: Parameters<typeof authorityKey>[0]['kind'], namespace: string) =>
    authorityKey({ kind, namespace, name: 'ca' });
  assert.is(key('CertificateAuthority', 'team'), 'CertificateAuthority/team/ca');
  assert.is(key('ClusterCertificateAuthority', ''), 'ClusterCertificateAuthority/ca');
  // The certificate that refers to it has a namespace; the authority has none.
  assert.is(key('ClusterCertificateAuthority', 'team'), 'ClusterCertificateAuthority/ca');
  assert.is(authorityResource('CertificateAuthority'), CERTIFICATE_AUTHORITIES);
  assert.is(authorityResource('ClusterCertificateAuthority'), CLUSTER_CERTIFICATE_AUTHORITIES);
});

const expression = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]) => ({
  selector: { matchExpressions: [values === undefined ? { key, operator } : { key, operator, values }] },
});

/** As metav1.LabelSelector has it; the namespace is `team` with the labels env=prod and team=a. */
const SELECTIONS: Record<string, [allowed: AllowedNamespaces | undefined, allows: boolean]> = {
  'the namespaced kind serves its own': [undefined, true],
  'all are served': [{ all: true }, true],
  'nothing is said': [{}, false],
  'it is named': [{ names: ['other', 'team'] }, true],
  'another one is named': [{ names: ['other'] }, false],
  'names are no patterns': [{ names: ['te*', 'te', 'teams', ''] }, false],
  'an empty selector selects everything': [{ selector: {} }, true],
  'empty matches select everything': [{ selector: { matchLabels: {}, matchExpressions: [] } }, true],
  'a label matches': [{ selector: { matchLabels: { env: 'prod' } } }, true],
  'a label has another value': [{ selector: { matchLabels: { env: 'dev' } } }, false],
  'a label is missing': [{ selector: { matchLabels: { zone: 'a' } } }, false],
  'one of two labels matches': [{ selector: { matchLabels: { env: 'prod', team: 'b' } } }, false],
  'both labels match': [{ selector: { matchLabels: { env: 'prod', team: 'a' } } }, true],
  'a name or a selector is enough': [{ names: ['team'], selector: { matchLabels: { env: 'dev' } } }, true],
  'a value is In': [expression('env', 'In', ['dev', 'prod']), true],
  'a value is not In': [expression('env', 'In', ['dev']), false],
  'a label that is missing is not In': [expression('zone', 'In', ['a']), false],
  'nothing is In nothing': [expression('env', 'In', []), false],
  'a value is NotIn': [expression('env', 'NotIn', ['dev']), true],
  'a value is not NotIn': [expression('env', 'NotIn', ['prod']), false],
  'a label that is missing is NotIn': [expression('zone', 'NotIn', ['a']), true],
  'a label Exists': [expression('env', 'Exists'), true],
  'a label that is missing does not Exist': [expression('zone', 'Exists'), false],
  'a label that is missing DoesNotExist': [expression('zone', 'DoesNotExist'), true],
  'a label that is there does not DoesNotExist': [expression('env', 'DoesNotExist'), false],
  'an unknown operator selects nothing': [expression('env', 'Near' as never, ['prod']), false],
  'labels and expressions must both match': [
    { selector: { matchLabels: { env: 'prod' }, matchExpressions: [{ key: 'team', operator: 'In', values: ['b'] }] } },
    false,
  ],
  'what every object inherits is no label': [expression('constructor', 'Exists'), false],
  'what every object inherits is missing': [expression('constructor', 'DoesNotExist'), true],
  'what every object inherits is NotIn': [expression('toString', 'NotIn', ['x']), true],
  'the prototype is no label': [expression('__proto__', 'Exists'), false],
};

for (const [sentence, [allowed, allows]] of Object.entries(SELECTIONS)) {
  test(`${sentence}: ${allows ? 'served' : 'not served'}`, () => {
    assert.is(allowsNamespace(allowed, 'team', { env: 'prod', team: 'a' }), allows);
  });
}

test('while the labels of a namespace are not known, a selector answers neither yes nor no', () => {
  assert.is(allowsNamespace(expression('tier', 'DoesNotExist'), 'team', undefined), undefined);
  assert.is(allowsNamespace(expression('tier', 'NotIn', ['tenant']), 'team', undefined), undefined);
  assert.is(allowsNamespace({ names: ['team'] }, 'team', undefined), true);
  assert.is(allowsNamespace({ names: ['other'] }, 'team', undefined), false);
});

test('a label with a name that every object inherits is a label', () => {
  assert.ok(allowsNamespace(expression('constructor', 'Exists'), 'team', { constructor: 'x' } as never));
});

test.run();
