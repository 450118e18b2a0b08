import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conditionsOf, isBroken, lastFailureOf, parseClientCertificate } from './client-certificate.ts';
import { NO_OUTPUTS } from './outputs.ts';
import type { RawObject } from './parse.ts';

const metadata = { namespace: 'team', name: 'client', uid: 'u', resourceVersion: '1', generation: 1 };
const LEAST = { authorityRef: { name: 'ca' }, secretName: 'tls' };

function parsed(spec: object, more: Partial<RawObject> = {}) {
  const resource = parseClientCertificate({ metadata, spec: structuredClone({ ...LEAST, ...spec }), ...more });
  if (isBroken(resource)) throw new Error(resource.problem);
  return resource;
}

test('a spec that says the least gets every default', () => {
  assert.equal(parsed({}).spec, {
    authorityRef: { kind: 'CertificateAuthority', name: 'ca' },
    secretName: 'tls',
    identity: {
      subject: {},
      names: { dnsNames: [], uris: [], emailAddresses: [], ipAddresses: [] },
      usages: ['digital signature', 'client auth'],
    },
    durationMs: 86_400_000,
    renewBefore: undefined,
    key: { algorithm: 'ECDSA', size: 256 },
    keyEncoding: 'PKCS8',
    rotatesKey: true,
    csr: undefined,
    outputs: NO_OUTPUTS,
    secretLabels: {},
    secretAnnotations: {},
    suspended: false,
    deletionPolicy: 'Delete',
  });
});

test('a spec that says everything is read as it is', () => {
  const subject = { organizations: ['o'], organizationalUnits: ['u'], countries: ['DE'], serialNumber: '7' };
  const names = {
    dnsNames: ['a.example'],
    uris: ['spiffe://td/a'],
    emailAddresses: ['a@example.com'],
    ipAddresses: ['::1'],
  };
  const password = { name: 'password', key: 'p12' };
  const { spec } = parsed({
    authorityRef: { kind: 'ClusterCertificateAuthority', name: 'root' },
    commonName: 'me',
    subject,
    ...names,
    duration: '1h30m',
    renewBefore: '20m',
    privateKey: { algorithm: 'RSA', size: 3072, encoding: 'PKCS1', rotationPolicy: 'Never' },
    usages: ['client auth', 'server auth'],
    secretTemplate: { labels: { a: 'b' }, annotations: { c: 'd' } },
    suspend: true,
    deletionPolicy: 'Retain',
    additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }],
    keystores: {
      pkcs12: { create: true, alias: 'me', profile: 'LegacyDES', passwordSecretRef: password },
      jks: { create: false, alias: 'me', passwordSecretRef: password },
    },
    secretDataNames: { certificate: 'client.crt' },
  });
  assert.equal(spec, {
    authorityRef: { kind: 'ClusterCertificateAuthority', name: 'root' },
    secretName: 'tls',
    identity: { subject: { commonName: 'me', ...subject }, names, usages: ['client auth', 'server auth'] },
    durationMs: 5_400_000,
    renewBefore: { ms: 1_200_000 },
    key: { algorithm: 'RSA', size: 3072 },
    keyEncoding: 'PKCS1',
    rotatesKey: false,
    csr: undefined,
    outputs: {
      combinedPem: true,
      derKey: true,
      pkcs12: { alias: 'me', profile: 'LegacyDES', password },
      jks: undefined,
      names: { certificate: 'client.crt' },
    },
    secretLabels: { a: 'b' },
    secretAnnotations: { c: 'd' },
    suspended: true,
    deletionPolicy: 'Retain',
  });
});

const KEYS: Record<string, [privateKey: object, key: object]> = {
  'an empty private key is ECDSA 256': [{}, { algorithm: 'ECDSA', size: 256 }],
  'ECDSA is 256': [{ algorithm: 'ECDSA' }, { algorithm: 'ECDSA', size: 256 }],
  'ECDSA 521 is itself': [
    { algorithm: 'ECDSA', size: 521 },
    { algorithm: 'ECDSA', size: 521 },
  ],
  'a size alone is that of ECDSA': [{ size: 384 }, { algorithm: 'ECDSA', size: 384 }],
  'RSA is 2048': [{ algorithm: 'RSA' }, { algorithm: 'RSA', size: 2048 }],
  'Ed25519 has no size': [{ algorithm: 'Ed25519' }, { algorithm: 'Ed25519' }],
};

for (const [sentence, [privateKey, key]] of Object.entries(KEYS)) {
  test(sentence, () => assert.equal(parsed({ privateKey }).spec.key, key));
}

test('a percentage is read as one', () => {
  assert.equal(parsed({ renewBeforePercentage: 30 }).spec.renewBefore, { percentage: 30 });
});

const WISHES: Record<string, [annotation: string | undefined, moment: string | undefined]> = {
  'no wish for a renewal': [undefined, undefined],
  'a wish for a renewal': ['2026-06-01T12:00:00Z', '2026-06-01T12:00:00.000Z'],
  'a wish with an offset': ['2026-06-01T14:00:00+02:00', '2026-06-01T12:00:00.000Z'],
  'a wish that is no moment': ['now', undefined],
  'a wish that is a date': ['2026-06-01', undefined],
};

for (const [sentence, [annotation, moment]] of Object.entries(WISHES)) {
  test(`${sentence} is ${moment ?? 'none'}`, () => {
    const annotations = annotation === undefined ? {} : { 'certwheel.io/renew-at': annotation };
    assert.is(parsed({}, { metadata: { ...metadata, annotations } }).renewAt?.toISOString(), moment);
  });
}

const BROKEN: Record<string, [spec: unknown, problem: string]> = {
  'no spec': [undefined, 'spec must be object'],
  'a text for a spec': ['spec', 'spec must be object'],
  'no authority': [{ secretName: 'a' }, "must have required property 'authorityRef'"],
  'an unknown kind of authority': [{ ...LEAST, authorityRef: { kind: 'Issuer', name: 'a' } }, 'spec.authorityRef.kind'],
  'days in a duration': [{ ...LEAST, duration: '7d' }, 'spec.duration'],
  'a duration below zero': [{ ...LEAST, duration: '-1h' }, 'spec.duration'],
  'a percentage of 100': [{ ...LEAST, renewBeforePercentage: 100 }, 'spec.renewBeforePercentage'],
  'an unknown algorithm': [{ ...LEAST, privateKey: { algorithm: 'DSA' } }, 'spec.privateKey.algorithm'],
  'a size of that kind of key that is none': [{ ...LEAST, privateKey: { size: 300 } }, 'size'],
  'a common name that is too long': [{ ...LEAST, commonName: 'x'.repeat(65) }, 'spec.commonName'],
  'a number in a list of names': [{ ...LEAST, dnsNames: [7] }, 'spec.dnsNames.0'],
  'null for a list of names': [{ ...LEAST, dnsNames: null }, 'spec.dnsNames'],
  'an unknown usage': [{ ...LEAST, usages: ['fishing'] }, 'spec.usages.0'],
};

for (const [sentence, [spec, problem]] of Object.entries(BROKEN)) {
  test(`a stored object with ${sentence} is broken, and keeps its status`, () => {
    const resource = parseClientCertificate({ metadata, spec, status: { revision: 3 } });
    assert.ok(isBroken(resource) && resource.problem.includes(problem), JSON.stringify(resource));
    assert.equal([resource.name, resource.status.revision], ['client', 3]);
  });
}

test('a template that no Secret can have is refused with its field and key', () => {
  const problemOf = (secretTemplate: object) => {
    const resource = parseClientCertificate({ metadata, spec: { ...LEAST, secretTemplate } });
    return isBroken(resource) ? resource.problem : undefined;
  };
  const prefix = (length: number) => `${'p'.repeat(length)}/${'n'.repeat(63)}`;
  for (const field of ['labels', 'annotations'])
    for (const key of ['a..b/c', '.a/b', 'a./b', 'a.-b/c', '/a', 'a/', 'a/b/c', '', 'n'.repeat(64), prefix(254)])
      assert.is(
        problemOf({ [field]: { [key]: 'x' } }),
        `spec.secretTemplate.${field} has the key ${JSON.stringify(key)}, which is no Kubernetes ${field.slice(0, -1)} key, as in team or example.com/team`,
      );
  for (const key of ['a', 'A_.-b', 'a.b-c/D', prefix(253)]) assert.is(problemOf({ labels: { [key]: 'x' } }), undefined);
  const annotations = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, '€'.repeat(4000)]));
  assert.is(problemOf({ annotations: annotations(13) }), undefined);
  assert.match(
    problemOf({ annotations: annotations(14) }) ?? '',
    /^spec\.secretTemplate\.annotations has 168074 bytes/,
  );
});

test('any stored object is parsed as a resource or as a broken one', () => {
  const shapes = fc.record(
    Object.fromEntries(
      [
        'authorityRef',
        'secretName',
        'commonName',
        'subject',
        'dnsNames',
        'duration',
        'privateKey',
        'usages',
        'secretTemplate',
      ].map((field) => [field, fc.oneof(fc.jsonValue(), fc.constant({}), fc.constant('x'))]),
    ),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), shapes), fc.jsonValue(), (spec, status) => {
      const resource = parseClientCertificate({ metadata, spec, status });
      if (isBroken(resource)) assert.match(resource.problem, /^spec/);
      conditionsOf(resource.status);
      lastFailureOf(resource.status);
    }),
    { numRuns: 1000 },
  );
});

test('a key that would change what every object inherits changes nothing', () => {
  const evil =
    '{"authorityRef":{"name":"ca","__proto__":{"kind":"X"}},"secretName":"tls","__proto__":{"suspend":true},' +
    '"constructor":{"prototype":{"suspend":true}},"secretTemplate":{"labels":{"constructor":"y"}}}';
  const resource = parseClientCertificate({ metadata, spec: JSON.parse(evil) });
  assert.ok(!isBroken(resource));
  assert.is(resource.spec.suspended, false);
  assert.is(resource.spec.authorityRef.kind, 'CertificateAuthority');
  assert.equal(Object.keys(resource.spec.secretLabels), ['constructor']);
  assert.is(({} as Record<string, unknown>).suspend, undefined);
});

test('the default conditions of one object are not those of another', () => {
  const [one, other] = [parsed({}), parsed({})];
  assert.throws(() => (one.spec.identity.usages as string[]).push('changed'));
  assert.equal(other.spec.identity.usages, ['digital signature', 'client auth']);
});

const failure = { time: '2026-06-01T12:00:00Z', reason: 'R', message: 'm', attempts: 2 };
test('a failure is read back with the moment of the next attempt, and not without', () => {
  assert.equal(lastFailureOf({ lastFailure: failure, nextAttemptTime: '2026-06-01T12:01:00Z' }), {
    at: new Date('2026-06-01T12:00:00Z'),
    attempts: 2,
    nextAttemptAt: new Date('2026-06-01T12:01:00Z'),
  });
  assert.is(lastFailureOf({ lastFailure: failure }), undefined);
  assert.is(lastFailureOf({ nextAttemptTime: '2026-06-01T12:01:00Z' }), undefined);
  assert.is(lastFailureOf({}), undefined);
});

test.run();
