import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../src/api/names.ts';
import { createSecret } from '../e2e/support/edits.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { ACCOUNT } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';

const TLS = { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } };
/** Where a client keeps its key itself. */
const KEYLESS = { type: 'Opaque', data: { 'tls.crt': '', 'ca.crt': '' } };
const OF_CERTIFICATE = {
  labels: { 'certwheel.io/certificate-name': 'alice' },
  annotations: { 'certwheel.io/certificate-uid': '1' },
};
/** As it is created, before its key comes in. */
const ofGeneration = (kind: string, name = 'ca') => ({
  labels: { 'certwheel.io/authority-name': name, 'certwheel.io/authority-kind': kind },
});
const ofNext = (name = 'alice') => ({
  labels: { 'certwheel.io/next-of': name },
  annotations: { 'certwheel.io/certificate-uid': '1' },
});
const ofLedger = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/ledger-of': name, 'certwheel.io/authority-kind': kind },
});
const ofSources = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/trust-sources-of': name, 'certwheel.io/authority-kind': kind },
});
const ofAccount = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/acme-account-of': name, 'certwheel.io/authority-kind': kind },
});
const ofFallback = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/fallback-of': name, 'certwheel.io/authority-kind': kind },
});
const ofRequest = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/ca-request-of': name, 'certwheel.io/authority-kind': kind },
});
const ofRegister = (kind = 'CertificateAuthority', name = 'ca') => ({
  type: 'Opaque',
  labels: { 'certwheel.io/revocations-of': name, 'certwheel.io/authority-kind': kind },
});
const OF_BOOKS = { type: 'Opaque', labels: { 'certwheel.io/books': 'key' } };
const NOT_OURS = /This Secret is not Certwheel's, and certwheel.io\/adopt does not hand it over/;
const NO_MARKS = /A Secret that Certwheel creates carries its marks/;
const ONLY_TLS = /Secrets of type kubernetes.io\/tls only/;
const ONLY_CERTWHEEL = /keeps the key of a certificate that is awaited; only Certwheel writes it/;
const BOOKS_ONLY_CERTWHEEL = /keeps the key that proves what Certwheel wrote into ledgers; only Certwheel writes it/;
const NO_DELETE = /Certwheel deletes nothing but Secrets of CA generations/;

interface Content {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

const shared = oneWorld({}, async (cluster) => {
  await install(cluster);
  await cluster.kubectl(['create', 'namespace', 'shop']);
  // The API server hears of a policy a moment after it is stored.
  await eventually('the policy holds', async () => {
    const { stderr } = await asAccount(cluster, ['create', 'secret', 'generic', 'probe', '--dry-run=server']);
    return NO_MARKS.test(stderr) || ONLY_TLS.test(stderr);
  });
});
test.after(shared.stop);

function asAccount(cluster: World['cluster'], args: readonly string[], input = '') {
  return cluster.kubectl([...args, '--as', ACCOUNT], { allowFailure: true, input });
}

/** Server-side apply, as the controller does it. */
function apply({ cluster }: World, namespace: string, name: string, { type, data, immutable, ...metadata }: Content) {
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, ...metadata },
    type,
    immutable,
    data,
  };
  const args = ['apply', '--server-side', '--field-manager=certwheel', '--force-conflicts', '-f', '-'];
  return asAccount(cluster, args, JSON.stringify(object));
}

let names = 0;
/** A Secret of somebody else, of the given content. */
async function existing(world: World, content: Content, name = `existing-${++names}`): Promise<string> {
  await createSecret(world, 'shop', name, content);
  return name;
}

test('what Certwheel creates carries its marks', async () => {
  const world = await shared.get();
  const allowed: readonly [string, string, Content][] = [
    ['shop', 'alice-tls', { ...TLS, ...OF_CERTIFICATE }],
    ['shop', 'partner-tls', { ...KEYLESS, ...OF_CERTIFICATE }],
    ['shop', 'ca-ca-v1', { ...TLS, ...ofGeneration('CertificateAuthority') }],
    ['shop', 'alice-next', { ...TLS, ...ofNext() }],
    ['shop', 'ca-ca-ledger', ofLedger()],
    [NAMESPACE, 'ca-clusterca-ledger', ofLedger('ClusterCertificateAuthority')],
    ['shop', 'ca-ca-sources', ofSources()],
    [NAMESPACE, 'ca-clusterca-sources', ofSources('ClusterCertificateAuthority')],
    ['shop', 'ca-ca-acme-account', ofAccount()],
    [NAMESPACE, 'ca-clusterca-acme-account', ofAccount('ClusterCertificateAuthority')],
    ['shop', 'ca-ca-fallback', ofFallback()],
    [NAMESPACE, 'ca-clusterca-fallback', ofFallback('ClusterCertificateAuthority')],
    ['shop', 'ca-ca-request', ofRequest()],
    [NAMESPACE, 'ca-clusterca-request', ofRequest('ClusterCertificateAuthority')],
    ['shop', 'ca-ca-revocations', ofRegister()],
    [NAMESPACE, 'ca-clusterca-revocations', ofRegister('ClusterCertificateAuthority')],
    [NAMESPACE, 'certwheel-books', OF_BOOKS],
    [NAMESPACE, 'ca-clusterca-v12', { ...TLS, ...ofGeneration('ClusterCertificateAuthority') }],
    // As it was named before.
    [NAMESPACE, 'cluster-ca-ca-v12', { ...TLS, ...ofGeneration('ClusterCertificateAuthority') }],
  ];
  for (const [namespace, name, content] of allowed) {
    const { code, stderr } = await apply(world, namespace, name, content);
    assert.is(code, 0, `${name}: ${stderr}`);
  }
  const refused: readonly [string, Content, RegExp][] = [
    ['plain', TLS, NO_MARKS],
    ['label-alone', { ...TLS, labels: OF_CERTIFICATE.labels }, NO_MARKS],
    ['annotation-alone', { ...TLS, annotations: OF_CERTIFICATE.annotations }, NO_MARKS],
    ['no-generation', { ...TLS, ...ofGeneration('CertificateAuthority') }, NO_MARKS],
    ['other-ca-v1', { ...TLS, ...ofGeneration('CertificateAuthority') }, NO_MARKS],
    ['next', { ...TLS, ...ofNext() }, NO_MARKS],
    ['bob-next', { ...TLS, ...ofNext() }, NO_MARKS],
    ['carol-next', { ...TLS, labels: ofNext('carol').labels }, NO_MARKS],
    ['opaque-next', { ...ofNext('opaque'), type: 'Opaque' }, ONLY_TLS],
    ['tls-ca-ledger', { ...TLS, labels: ofLedger('CertificateAuthority', 'tls').labels }, ONLY_TLS],
    ['other-ca-ledger', { ...TLS, labels: ofLedger().labels }, NO_MARKS],
    ['ca-clusterca-ledger', { ...TLS, labels: ofLedger('ClusterCertificateAuthority').labels }, NO_MARKS],
    ['tls-ca-sources', { ...TLS, labels: ofSources('CertificateAuthority', 'tls').labels }, ONLY_TLS],
    ['other-ca-sources', { ...TLS, labels: ofSources().labels }, NO_MARKS],
    ['ca-clusterca-sources', { ...TLS, labels: ofSources('ClusterCertificateAuthority').labels }, NO_MARKS],
    ['tls-ca-acme-account', { ...TLS, labels: ofAccount('CertificateAuthority', 'tls').labels }, ONLY_TLS],
    ['other-ca-acme-account', { ...TLS, labels: ofAccount().labels }, NO_MARKS],
    ['ca-clusterca-acme-account', { ...TLS, labels: ofAccount('ClusterCertificateAuthority').labels }, NO_MARKS],
    ['tls-ca-fallback', { ...TLS, labels: ofFallback('CertificateAuthority', 'tls').labels }, ONLY_TLS],
    ['other-ca-fallback', { ...TLS, labels: ofFallback().labels }, NO_MARKS],
    ['other-ca-request', { ...TLS, labels: ofRequest().labels }, NO_MARKS],
    ['other-ca-revocations', { ...TLS, labels: ofRegister().labels }, NO_MARKS],
    ['ca-clusterca-revocations', { ...TLS, labels: ofRegister('ClusterCertificateAuthority').labels }, NO_MARKS],
    ['ca-clusterca-fallback', { ...TLS, labels: ofFallback('ClusterCertificateAuthority').labels }, NO_MARKS],
    [
      'twice-ca-sources',
      { type: 'Opaque', labels: { ...ofSources('CertificateAuthority', 'twice').labels, ...ofLedger().labels } },
      NO_MARKS,
    ],
    // In another namespace than the controller's.
    ['certwheel-books', { ...TLS, labels: OF_BOOKS.labels }, NO_MARKS],
    ['ca-ca-v0', { ...TLS, ...ofGeneration('CertificateAuthority') }, NO_MARKS],
    ['cluster-ca-ca-v1', { ...TLS, ...ofGeneration('ClusterCertificateAuthority') }, NO_MARKS],
    ['ca-clusterca-v1', { ...TLS, ...ofGeneration('ClusterCertificateAuthority') }, NO_MARKS],
    ['ca-clusterca-v2', { ...TLS, ...ofGeneration('CertificateAuthority') }, NO_MARKS],
    ['opaque', { ...TLS, ...OF_CERTIFICATE, type: 'Opaque' }, ONLY_TLS],
    ['keyless-ca-v1', { ...KEYLESS, ...ofGeneration('CertificateAuthority', 'keyless') }, ONLY_TLS],
    [
      'token',
      {
        labels: OF_CERTIFICATE.labels,
        annotations: { ...OF_CERTIFICATE.annotations, 'kubernetes.io/service-account.name': 'default' },
        type: 'kubernetes.io/service-account-token',
      },
      ONLY_TLS,
    ],
  ];
  for (const [name, content, message] of refused) {
    const { code, stderr } = await apply(world, 'shop', name, content);
    assert.is(code, 1, `${name} was let in`);
    assert.match(stderr, message, name);
    assert.is(await world.client.get(SECRETS, 'shop', name), undefined);
  }
});

test("what isn't Certwheel's is neither changed nor made its own", async () => {
  const world = await shared.get();
  const foreign = await existing(world, TLS);
  for (const content of [
    TLS,
    { ...TLS, ...OF_CERTIFICATE },
    { ...TLS, annotations: { 'certwheel.io/adopt': 'alice' } },
  ]) {
    const { code, stderr } = await apply(world, 'shop', foreign, {
      ...content,
      data: { 'tls.crt': 'AA==', 'tls.key': '' },
    });
    assert.is(code, 1);
    assert.match(stderr, NOT_OURS);
  }
  const label = ['label', 'secret', foreign, '-n', 'shop', 'a=b'];
  assert.match((await asAccount(world.cluster, label)).stderr, NOT_OURS);
  const half = await existing(world, { ...TLS, labels: OF_CERTIFICATE.labels });
  assert.match((await apply(world, 'shop', half, { ...TLS, ...OF_CERTIFICATE })).stderr, NOT_OURS);
});

test('what was handed over may be taken by the certificate that was named, and by no other', async () => {
  const world = await shared.get();
  const content = { ...TLS, annotations: { 'certwheel.io/adopt': 'alice' } };
  const one = await existing(world, content);
  assert.is((await apply(world, 'shop', one, { ...TLS, ...OF_CERTIFICATE })).code, 0);
  const other = await existing(world, content);
  const bobs = { ...OF_CERTIFICATE, labels: { 'certwheel.io/certificate-name': 'bob' } };
  assert.match((await apply(world, 'shop', other, { ...TLS, ...bobs })).stderr, NOT_OURS);
  // A CA key can't be handed over at all.
  const { labels } = ofGeneration('CertificateAuthority', 'lost');
  const generation = await existing(world, { ...content, labels }, 'lost-ca-v1');
  assert.match((await apply(world, 'shop', generation, { ...TLS, ...OF_CERTIFICATE })).stderr, NOT_OURS);
});

test('what is Certwheel’s stays so under its hand', async () => {
  const world = await shared.get();
  const own = await existing(world, { ...TLS, ...OF_CERTIFICATE });
  const patch = (change: object) =>
    asAccount(world.cluster, ['patch', 'secret', own, '-n', 'shop', '--type=merge', '-p', JSON.stringify(change)]);
  assert.is((await patch({ data: { 'tls.crt': 'AA==' } })).code, 0);
  const marks = await patch({ metadata: { labels: { 'certwheel.io/certificate-name': null } } });
  assert.match(marks.stderr, NOT_OURS);
});

for (const [suffix, of] of Object.entries({
  ledger: ofLedger,
  sources: ofSources,
  'acme-account': ofAccount,
  fallback: ofFallback,
  request: ofRequest,
}))
  test(`what is kept beside an authority (${suffix}) is changed, and becomes nothing else`, async () => {
    const world = await shared.get();
    const name = `books-ca-${suffix}`;
    const content = of('CertificateAuthority', 'books');
    for (const text of ['', 'AA=='])
      assert.is((await apply(world, 'shop', name, { ...content, data: { shop: text } })).code, 0);
    const { annotations } = OF_CERTIFICATE;
    const labels = { ...content.labels, ...OF_CERTIFICATE.labels };
    assert.match((await apply(world, 'shop', name, { ...content, labels, annotations })).stderr, NOT_OURS);
    // Also where a user hands it over.
    const handedOver = { ...TLS, labels: content.labels, annotations: { 'certwheel.io/adopt': 'alice' } };
    const ledger = await existing(world, handedOver);
    assert.match((await apply(world, 'shop', ledger, { ...TLS, labels, annotations })).stderr, NOT_OURS);
  });

test('a key that is kept while its certificate is awaited is changed and removed, and becomes nothing else', async () => {
  const world = await shared.get();
  const name = 'dave-next';
  for (const _ of ['created', 'changed'])
    assert.is((await apply(world, 'shop', name, { ...TLS, ...ofNext('dave') })).code, 0);
  const patch = JSON.stringify({ metadata: { labels: { 'certwheel.io/next-of': null } } });
  const stripped = await asAccount(world.cluster, ['patch', 'secret', name, '-n', 'shop', '--type=merge', '-p', patch]);
  assert.match(stripped.stderr, NOT_OURS);
  assert.is((await asAccount(world.cluster, ['delete', 'secret', name, '-n', 'shop'])).code, 0);
});

test('no other user puts a key where one is kept, or changes what is there', async () => {
  const world = await shared.get();
  const { cluster } = world;
  const refusalOf = async (work: Promise<unknown>) => String(await work.catch((error: unknown) => error));
  await eventually('the policy holds', async () =>
    ONLY_CERTWHEEL.test(await refusalOf(existing(world, { ...TLS, ...ofNext('mallory') }, 'mallory-next'))),
  );
  const kept = 'frank-next';
  assert.is((await apply(world, 'shop', kept, { ...TLS, ...ofNext('frank') })).code, 0);
  const change = (patch: object) =>
    cluster.kubectl(['patch', 'secret', kept, '-n', 'shop', '--type=merge', '-p', JSON.stringify(patch)], {
      allowFailure: true,
    });
  for (const patch of [
    { data: { 'tls.key': 'AA==' } },
    { metadata: { annotations: { 'certwheel.io/request': 'another' } } },
    { metadata: { labels: { 'certwheel.io/next-of': null } } },
  ])
    assert.match((await change(patch)).stderr, ONLY_CERTWHEEL);
  const plain = await existing(world, TLS, 'grace-next');
  const label = ['label', 'secret', plain, '-n', 'shop', 'certwheel.io/next-of=grace'];
  assert.match((await cluster.kubectl(label, { allowFailure: true })).stderr, ONLY_CERTWHEEL);
  assert.is((await change({ metadata: { ownerReferences: [] } })).code, 0);
  const { stdout } = await cluster.kubectl(['get', 'secret', kept, '-n', 'shop', '--output=json']);
  assert.is((await cluster.kubectl(['replace', '-f', '-'], { input: stdout })).code, 0);
  await cluster.kubectl(['delete', 'secret', kept, '-n', 'shop']);
});

test('the key of the books is changed by Certwheel alone, which makes nothing else of it and does not delete it', async () => {
  const world = await shared.get();
  const { cluster } = world;
  const name = 'certwheel-books';
  for (const text of ['', 'AA=='])
    assert.is((await apply(world, NAMESPACE, name, { ...OF_BOOKS, data: { key: text } })).code, 0);
  const labels = { ...OF_BOOKS.labels, ...OF_CERTIFICATE.labels };
  const { annotations } = OF_CERTIFICATE;
  assert.match((await apply(world, NAMESPACE, name, { ...OF_BOOKS, labels, annotations })).stderr, NOT_OURS);
  assert.match((await asAccount(cluster, ['delete', 'secret', name, '-n', NAMESPACE])).stderr, NO_DELETE);
  const asPerson = (args: readonly string[], input = '') =>
    cluster.kubectl([...args, '-n', NAMESPACE], { allowFailure: true, input });
  const change = (patch: object) => asPerson(['patch', 'secret', name, '--type=merge', '-p', JSON.stringify(patch)]);
  await eventually('the policy holds', async () =>
    BOOKS_ONLY_CERTWHEEL.test((await change({ data: { key: 'AAAA' } })).stderr),
  );
  assert.match((await change({ metadata: { labels: { 'certwheel.io/books': null } } })).stderr, BOOKS_ONLY_CERTWHEEL);
  // Written anew as it is, such as for another encryption at rest.
  const { stdout } = await asPerson(['get', 'secret', name, '--output=json']);
  assert.is((await asPerson(['replace', '-f', '-'], stdout)).code, 0);
  // An operator takes it away, and plants no other.
  assert.is((await asPerson(['delete', 'secret', name])).code, 0);
  const planted = await asPerson(['create', 'secret', 'generic', name, '--from-literal=key=known']);
  assert.match(planted.stderr, BOOKS_ONLY_CERTWHEEL);
  assert.is((await asPerson(['create', 'secret', 'generic', 'another', '--from-literal=key=known'])).code, 0);
});

test('nothing is deleted but CA generations and keys that are kept', async () => {
  const world = await shared.get();
  const remove = (name: string) => asAccount(world.cluster, ['delete', 'secret', name, '-n', 'shop', '--wait=false']);
  const generation = await existing(world, { ...TLS, ...ofGeneration('CertificateAuthority', 'old') }, 'old-ca-v3');
  assert.is((await remove(generation)).code, 0);
  for (const content of [TLS, { ...TLS, ...OF_CERTIFICATE }])
    assert.match((await remove(await existing(world, content))).stderr, NO_DELETE);
});

test('no other user is held to it', async () => {
  const { cluster } = await shared.get();
  await cluster.kubectl(['create', 'secret', 'generic', 'of-a-person', '-n', 'shop', '--from-literal=a=b']);
  await cluster.kubectl(['delete', 'secret', 'of-a-person', '-n', 'shop']);
});

test.run();
