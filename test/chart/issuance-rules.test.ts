import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from '../../src/api/certificate-authority.ts';
import { isBroken, parseClientCertificate } from '../../src/api/client-certificate.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { denialOf, noOrganizationsOf } from '../../src/policy/denial.ts';
import { permissionOf } from '../../src/policy/permission.ts';
import { connect, type Json } from '../e2e/crds/api.ts';
import { patch } from '../e2e/support/edits.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { install } from './support/helm.ts';

// The admission policy of the chart says at once what the controller would say: here each is the judge of the other.

const NAMESPACE = 'shop';
const LABELS = { tier: 'gold', 'kubernetes.io/metadata.name': NAMESPACE };
const shared = oneWorld({}, async (cluster) => {
  await install(cluster);
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  await cluster.kubectl(['label', 'namespace', NAMESPACE, 'tier=gold']);
});
test.after(shared.stop);

const kind = 'ClusterCertificateAuthority';
let authorities = 0;

/** Creates an authority with these rules, and waits until the policy knows them. */
async function authority(world: World, rules: readonly object[] | undefined): Promise<RawObject> {
  const name = `rules-${++authorities}`;
  const spec = {
    selfManaged: { commonName: 'x' },
    allowedNamespaces: { all: true },
    ...(rules === undefined ? {} : { issuancePolicy: { rules } }),
  };
  const stored = await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
  await eventually('the policy knows the authority', async () => {
    const marked = { commonName: 'never-allowed.', subject: { organizations: ['never', 'allowed'] } };
    return (
      (await answer(world, request(name, marked))).code === 422 ||
      (await answer(world, request(name, marked))).code === 403
    );
  });
  return stored;
}

function request(name: string, spec: object): RawObject {
  return {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'ClientCertificate',
    metadata: { namespace: NAMESPACE, name: 'client' },
    spec: { authorityRef: { kind, name }, secretName: 'client-tls', ...spec },
  };
}

/** What the API server answers to a request to create it. */
async function answer(world: World, object: RawObject, query = '?dryRun=All') {
  apis.set(world, apis.get(world) ?? connect(world.cluster));
  const api = await (apis.get(world) as ReturnType<typeof connect>);
  const path = `/apis/certwheel.io/v1alpha1/namespaces/${NAMESPACE}/clientcertificates${query}`;
  const { status, body } = await api.send('POST', path, object as Json);
  return { code: status, message: String(body.message ?? ''), body: body as RawObject };
}

const apis = new Map<World, ReturnType<typeof connect>>();

/** What the controller would say of it. */
function verdict(stored: RawObject, object: RawObject): string | undefined {
  const parsed = parseCertificateAuthority(kind, structuredClone(stored));
  const resource = parseClientCertificate(structuredClone(object));
  if (isBrokenAuthority(parsed) || isBroken(resource)) throw new Error('a sample is broken');
  const permission = permissionOf(parsed.issuancePolicy, resource, LABELS);
  if (permission.is === 'denied') return denialOf(resource, permission);
  return permission.is === 'noOrganizations' ? noOrganizationsOf(resource) : undefined;
}

const some = <T>(...all: T[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 });
/** Present in one of `often` samples. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, often = 4) =>
  fc.oneof({ weight: often - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const present = (record: object) => JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
const namespaces = fc.oneof(
  { weight: 6, arbitrary: fc.constant<object>({ all: true }) },
  {
    weight: 6,
    arbitrary: fc.constantFrom<object>(
      { names: [NAMESPACE, 'other'] },
      { names: ['other'] },
      { selector: { matchLabels: { tier: 'gold' } } },
      { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] } },
      { selector: { matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['x'] }] } },
      { selector: { matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] } },
      { selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['silver'] }] } },
      { selector: { matchExpressions: [{ key: 'none', operator: 'Exists' }] } },
    ),
  },
);
const rule = fc
  .record({
    namespaces,
    commonNames: some('a', '*', '{namespace}-*', '{name}', 'a[*]', 'a.*(', '*b*'),
    dnsNames: some('*.example.com', '[*].example.com', '*.{namespace}.svc', 'a*.b'),
    uris: some('spiffe://example.com/ns/{namespace}/*', 'https://*.example.com/a', 'urn:x:*', 'HTTPS://a/*'),
    emailAddresses: some('*@example.com', 'a@*.Example.com'),
    ipAddresses: some('10.0.0.0/8', '2001:db8::7', '192.0.2.7'),
    subject: fc.record({ organizations: some('a', 'b c', '*'), organizationalUnits: some('finance', '{namespace}') }),
    maxDuration: rarely(fc.constantFrom('1h', '24h')),
    keyAlgorithms: rarely(some('ECDSA', 'RSA')),
    usages: rarely(fc.constant(['client auth', 'digital signature'])),
    lacks: some('dnsNames', 'uris', 'emailAddresses', 'ipAddresses', 'subject', 'none'),
  })
  .map(({ lacks, ...fields }) =>
    present(Object.fromEntries(Object.entries(fields).filter(([key]) => !lacks.includes(key)))),
  );
const asked = fc
  .record({
    commonName: fc.constantFrom('a', 'b', 'client', 'shop-a', 'shop-', 'a*', 'a.b(', 'xbx', 'a b', 'ä'),
    dnsNames: rarely(some('a.example.com', '*.example.com', 'web.shop.svc', 'a.b', 'web.other.svc')),
    uris: rarely(
      some(
        'spiffe://example.com/ns/shop/web',
        'https://b.example.com/a',
        'https://b.c.example.com/a',
        'urn:x:7',
        'https://a/b',
      ),
    ),
    emailAddresses: rarely(some('a.b@example.com', 'a@x.EXAMPLE.com')),
    ipAddresses: rarely(some('10.1.2.3', '2001:db8::7', '192.0.2.8')),
    subject: rarely(
      fc.record({
        organizations: rarely(some('a', 'b c', 'd')),
        organizationalUnits: rarely(some('finance', 'shop'), 2),
      }),
    ),
    duration: rarely(fc.constantFrom('1h', '25h')),
    privateKey: rarely(fc.constantFrom({ algorithm: 'RSA' }, { algorithm: 'Ed25519' })),
    usages: rarely(fc.constantFrom(['client auth'], ['client auth', 'server auth'])),
  })
  .map(present);

test('whatever the rules are and whatever is requested, the policy says what the controller says, in its words', async () => {
  const world = await shared.get();
  const seed = Number(process.env.SEED ?? Date.now() % 1e6);
  const policies = fc.sample(fc.array(rule, { maxLength: 20, size: 'max' }), { numRuns: 12, seed });
  const requests = fc.sample(asked, { numRuns: 240, seed });
  const verdicts = { refused: 0, allowed: 0 };
  for (const [index, rules] of policies.entries()) {
    const stored = await authority(
      world,
      rules.map((each, at) => ({ name: `rule-${at}`, ...each })),
    );
    for (const spec of requests.slice(index * 20, index * 20 + 20)) {
      const object = request(stored.metadata?.name ?? '', spec);
      const { code, message, body } = await answer(world, object);
      // With the defaults of the schema, where it was stored.
      const full = code === 201 ? body : (merged(object) as RawObject);
      const expected = verdict(stored, full);
      const where = `seed ${seed}: ${JSON.stringify({ rules, spec })}`;
      assert.is(code, expected === undefined ? 201 : 403, `${where} ${message} ${expected}`);
      if (expected !== undefined) assert.ok(message.endsWith(expected), `${where}\n${message}\n${expected}`);
      verdicts[expected === undefined ? 'allowed' : 'refused'] += 1;
    }
  }
  assert.ok(verdicts.refused > 20 && verdicts.allowed > 20, JSON.stringify(verdicts));
});

/** With the defaults of the schema that the verdict depends on. */
function merged(object: RawObject): object {
  const spec = object.spec as object;
  return { ...object, spec: { duration: '24h', usages: ['digital signature', 'client auth'], ...spec } };
}

test('without rules organizations alone are refused', async () => {
  const world = await shared.get();
  const stored = await authority(world, undefined);
  const name = stored.metadata?.name ?? '';
  assert.is((await answer(world, request(name, { commonName: 'anything.at-all' }))).code, 201);
  const object = request(name, { commonName: 'a', subject: { organizations: ['ops', 'b'] } });
  const { code, message } = await answer(world, object);
  assert.is(code, 403);
  assert.ok(message.endsWith(verdict(stored, object) ?? '?'), message);
});

test('what the policy can not compute gets through', async () => {
  const world = await shared.get();
  const rules = [
    { name: 'label', namespaces: { all: true }, commonNames: ["{namespace.labels['tier']}-*"] },
    { name: 'uri', namespaces: { all: true }, commonNames: ['a'], uris: ['https://a/b'] },
  ];
  const byLabel = (await authority(world, rules.slice(1))).metadata?.name ?? '';
  assert.is((await answer(world, request(byLabel, { commonName: 'a', uris: ['https://a/x/../b'] }))).code, 201);
  assert.is((await answer(world, request(byLabel, { commonName: 'a', uris: ['https://a/c'] }))).code, 403);
});

test('a name of several labels is left to the controller, which fills in no name of a host with it', async () => {
  const world = await shared.get();
  const stored = await authority(world, [{ name: 'own', namespaces: { all: true }, dnsNames: ['{name}.example.com'] }]);
  const ask = (name: string, dnsName: string) => {
    const object = request(stored.metadata?.name ?? '', { dnsNames: [dnsName] });
    return { ...object, metadata: { ...object.metadata, name } };
  };
  const dotted = ask('api.pay', 'api.pay.example.com');
  assert.is((await answer(world, dotted)).code, 201);
  assert.match(verdict(stored, dotted) ?? '', 'rule own does not allow "api.pay.example.com" in dnsNames');
  assert.is((await answer(world, ask('api', 'api.example.com'))).code, 201);
  assert.is((await answer(world, ask('api', 'pay.example.com'))).code, 403);
});

/** The API server gives up beyond a budget, and then the request gets through to the controller. */
test('two hundred rules of usual size cost no more than the API server allows', async () => {
  const count = 200;
  const world = await shared.get();
  const rules = Array.from({ length: count }, (_, at) => ({
    name: `rule-${at}`,
    namespaces: { names: [`team-${at}`, NAMESPACE] },
    commonNames: [`team-${at}-*`, 'job-*'],
    dnsNames: [`*.team-${at}.svc`, `*.team-${at}.example.com`],
    uris: [`spiffe://example.com/ns/{namespace}/team-${at}/*`, `spiffe://example.com/${at}/*`],
    subject: { organizationalUnits: ['finance'] },
  }));
  const name = (await authority(world, rules)).metadata?.name ?? '';
  const uris = ['spiffe://example.com/ns/shop/team-none/web'];
  const { code, message } = await answer(
    world,
    request(name, { commonName: 'job-7', dnsNames: ['a.team-0.svc'], uris }),
  );
  assert.is(code, 403);
  assert.match(message, `${count - 16} more rules do not fit either`);
});

test('what is stored already may be labelled and deleted when no rule fits it any more', async () => {
  const world = await shared.get();
  const open = { name: 'all', namespaces: { all: true }, commonNames: ['*'] };
  const stored = await authority(world, [open]);
  const name = stored.metadata?.name ?? '';
  assert.is((await answer(world, request(name, { commonName: 'kept' }), '')).code, 201);
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name, {
    spec: { issuancePolicy: { rules: [{ ...open, commonNames: ['other'] }] } },
  });
  await eventually(
    'the policy knows the change',
    async () => (await answer(world, request(name, { commonName: 'kept' }))).code === 403,
  );
  for (const command of [
    ['label', 'ccert', 'client', '-n', NAMESPACE, 'a=b'],
    ['delete', 'ccert', 'client', '-n', NAMESPACE],
  ])
    await world.cluster.kubectl(command);
});

test.run();
