import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { clientKey, csrIn, forged, goesWith, putCsr } from '../support/client-keys.ts';
import { createSecret, patch, patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene({});
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** Due within ten seconds, valid for a minute. */
const SOON = { duration: '1m', renewBefore: '50s' };
const NAMES = { commonName: 'partner', dnsNames: ['partner.example.com'], subject: { organizations: ['Partner'] } };

test('a request is issued that stands in the spec, in a ConfigMap or in a Secret, without its key', async () => {
  const { world, namespace } = await scene.get();
  const asked = { subject: '/O=Partner/CN=partner', extensions: ['subjectAltName = DNS:partner.example.com'] };
  const keys = await Promise.all([clientKey(asked), clientKey(asked), clientKey(asked)]);
  const [inSpec, inConfigMap, inSecret] = keys;
  await putCsr(world, namespace, 'partner-csr', inConfigMap?.csr ?? '');
  await createSecret(world, namespace, 'partner-csr', { data: { 'client.csr': base64(inSecret?.csr ?? '') } });
  const sources = [
    { inline: inSpec?.csr },
    csrIn('partner-csr'),
    { secretKeyRef: { name: 'partner-csr', key: 'client.csr' } },
  ];
  for (const [at, csr] of sources.entries()) {
    const name = `source-${at}`;
    await create(world, clientCertificate(namespace, name, { ...NAMES, csr }));
    const status = await untilReady(world, namespace, name);
    const object = await world.client.get(SECRETS, namespace, `${name}-tls`);
    const leaf = await goesWith(object ?? {}, keys[at] ?? { key: '' });
    assert.equal(Object.keys(object?.data ?? {}).sort(), ['ca.crt', 'tls.crt']);
    assert.is(leaf.subject, 'O=Partner\nCN=partner');
    assert.is(leaf.subjectAltName, 'DNS:partner.example.com');
    assert.is(leaf.serialNumber.toLowerCase(), status.serialNumber);
  }
});

test('the names are those of the spec, and what else the request asks for is ignored', async () => {
  const { world, namespace } = await scene.get();
  const extensions = ['basicConstraints = critical, CA:TRUE', 'keyUsage = keyCertSign, cRLSign'];
  const client = await clientKey({ subject: '/', extensions });
  await create(world, clientCertificate(namespace, 'plain', { ...NAMES, csr: { inline: client.csr } }));
  await untilReady(world, namespace, 'plain');
  const leaf = await goesWith((await world.client.get(SECRETS, namespace, 'plain-tls')) ?? {}, client);
  assert.is(leaf.ca, false);
  assert.equal([leaf.subject, leaf.subjectAltName], ['O=Partner\nCN=partner', 'DNS:partner.example.com']);
});

const UNUSABLE: Readonly<Record<string, readonly [() => Promise<string>, RegExp]>> = {
  'whose signature was changed': [async () => forged(await clientKey()), /was not made with its own key/],
  'for a name that the spec lacks': [
    async () => (await clientKey({ extensions: ['subjectAltName = DNS:other.example.com'] })).csr,
    /asks for "other.example.com" \(dnsNames\), which the spec lacks/,
  ],
  'for another common name': [
    async () => (await clientKey({ subject: '/CN=system:admin' })).csr,
    /asks for "system:admin" \(commonName\), which the spec lacks/,
  ],
  'that is signed with SHA-1': [
    async () => (await clientKey({ digest: 'sha1' })).csr,
    /broken algorithm ecdsa-with-SHA1/,
  ],
  'with a small RSA key': [
    async () => (await clientKey({ keyKind: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] })).csr,
    /an RSA key of 1024 bits/,
  ],
  'that is a private key': [async () => (await clientKey()).key, /it holds a private key/],
  'that is too large': [async () => `${(await clientKey()).csr}${'# '.repeat(20_000)}`, /at most 32768 are read/],
  'that is none': [async () => 'no request', /has no PEM block CERTIFICATE REQUEST/],
};

for (const [at, [what, [make, says]]] of Object.entries(UNUSABLE).entries())
  test(`nothing is issued for a request ${what}, and the status says why`, async () => {
    const { world, namespace, controller } = await scene.get();
    const name = `bad-${at}`;
    await putCsr(world, namespace, name, await make());
    await create(world, clientCertificate(namespace, name, { commonName: 'client', csr: csrIn(name) }));
    const status = await untilReady(world, namespace, name, { status: 'False', reason: 'CSRUnusable' });
    const message = conditionOf(status, 'Ready')?.message ?? '';
    assert.match(message, says);
    assert.match(message, `ConfigMap ${namespace}/${name}, key client.csr`);
    assert.not.match(message, 'PRIVATE KEY');
    // Mended where it is, without a change of the ClientCertificate.
    const client = await clientKey();
    await putCsr(world, namespace, name, client.csr);
    await untilReady(world, namespace, name);
    await goesWith((await world.client.get(SECRETS, namespace, `${name}-tls`)) ?? {}, client);
    assert.is(signatures(controller, namespace, name), 1);
  });

test('a reference to nothing says how to create it', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'nothing', { commonName: 'client', csr: csrIn('nothing') }));
  const status = await untilReady(world, namespace, 'nothing', { status: 'False', reason: 'CSRUnusable' });
  assert.match(
    conditionOf(status, 'Ready')?.message ?? '',
    `ConfigMap ${namespace}/nothing does not exist; create it, for example: kubectl create configmap -n ${namespace} nothing --from-file=client.csr=client.csr`,
  );
  const client = await clientKey();
  await putCsr(world, namespace, 'nothing', client.csr);
  await untilReady(world, namespace, 'nothing');
});

test('another key is issued at once, and the same key in another request is not', async () => {
  const { world, namespace, controller } = await scene.get();
  const first = await clientKey();
  await putCsr(world, namespace, 'changed', first.csr);
  await create(world, clientCertificate(namespace, 'changed', { commonName: 'client', csr: csrIn('changed') }));
  await untilRevision(world, namespace, 'changed-tls', 1);
  // ECDSA signatures are never the same twice.
  await putCsr(world, namespace, 'changed', (await clientKey(first)).csr);
  const second = await clientKey();
  await putCsr(world, namespace, 'changed', second.csr);
  const { object } = await untilRevision(world, namespace, 'changed-tls', 2);
  await goesWith(object, second);
  await untilReady(world, namespace, 'changed');
  assert.is(signatures(controller, namespace, 'changed'), 2);
});

test('with rotationPolicy Always a renewal that is due waits for another key, and says so until it comes', async () => {
  const { world, namespace, controller } = await scene.get();
  const first = await clientKey();
  await putCsr(world, namespace, 'always', first.csr);
  await create(world, clientCertificate(namespace, 'always', { commonName: 'client', csr: csrIn('always'), ...SOON }));
  await untilRevision(world, namespace, 'always-tls', 1);
  const status = await untilReady(world, namespace, 'always', { type: 'Issuing', reason: 'NewCSRNeeded' });
  const issuing = conditionOf(status, 'Issuing')?.message ?? '';
  assert.match(issuing, `put the client's next one into ConfigMap ${namespace}/always, key client.csr`);
  assert.match(issuing, `without it the certificate ends at ${status.notAfter}`);
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  // By that the alerts go.
  assert.ok(Date.parse(status.renewalTime ?? '') <= Date.now());
  await eventually('an event says so', async () =>
    (await eventsOf(world, namespace, 'always')).some(({ reason }) => reason === 'NewCSRNeeded'),
  );
  // A person who asks for it gets one more over the same key.
  await renewAt(world, namespace, 'always');
  await goesWith((await untilRevision(world, namespace, 'always-tls', 2)).object, first);
  await untilReady(world, namespace, 'always', { type: 'Issuing', reason: 'NewCSRNeeded' });
  const second = await clientKey();
  await putCsr(world, namespace, 'always', second.csr);
  await goesWith((await untilRevision(world, namespace, 'always-tls', 3)).object, second);
  await eventually('the status has no complaint', async () => {
    return conditionOf(await statusOf(world, namespace, 'always'), 'Issuing') === undefined;
  });
  assert.is(signatures(controller, namespace, 'always'), 3);
});

test('with rotationPolicy Never it is renewed over the same key', async () => {
  const { world, namespace } = await scene.get();
  const client = await clientKey();
  const spec = { commonName: 'client', csr: { inline: client.csr }, privateKey: { rotationPolicy: 'Never' }, ...SOON };
  await create(world, clientCertificate(namespace, 'never', spec));
  for (const revision of [1, 2, 3])
    await goesWith((await untilRevision(world, namespace, 'never-tls', revision)).object, client);
});

test('a second replica, and a start over what is there, issue nothing', async () => {
  const { world, namespace } = await scene.get();
  const client = await clientKey();
  await putCsr(world, namespace, 'again', client.csr);
  await create(world, clientCertificate(namespace, 'again', { commonName: 'client', csr: csrIn('again') }));
  const before = await untilRevision(world, namespace, 'again-tls', 1);
  await untilReady(world, namespace, 'again');
  const other = await world.controller();
  try {
    await sleep(QUIET_MS);
    const after = await readSecret(world, namespace, 'again-tls');
    assert.is(after?.object.metadata?.resourceVersion, before.object.metadata?.resourceVersion);
    assert.is(signatures(other, namespace, 'again'), 0);
  } finally {
    await other.stop();
  }
});

test('a Secret of the other type is left alone, and comes anew once it is deleted', async () => {
  const { world, namespace } = await scene.get();
  const client = await clientKey({ subject: '/' });
  await create(world, clientCertificate(namespace, 'type'));
  await untilReady(world, namespace, 'type');
  const made = await readSecret(world, namespace, 'type-tls');
  await patchCertificate(world, namespace, 'type', { spec: { csr: { inline: client.csr } } });
  const refused = await untilReady(world, namespace, 'type', { status: 'False', reason: 'SecretRefused' });
  const command = `kubectl delete secret -n ${namespace} type-tls`;
  assert.match(conditionOf(refused, 'Ready')?.message ?? '', command);
  assert.is((await readSecret(world, namespace, 'type-tls'))?.leaf.serialNumber, made?.leaf.serialNumber);
  await world.client.delete(SECRETS, namespace, 'type-tls');
  await untilReady(world, namespace, 'type');
  await goesWith((await world.client.get(SECRETS, namespace, 'type-tls')) ?? {}, client);

  await patchCertificate(world, namespace, 'type', { spec: { csr: null } });
  const back = await untilReady(world, namespace, 'type', { status: 'False', reason: 'SecretRefused' });
  assert.match(conditionOf(back, 'Ready')?.message ?? '', command);
  await world.client.delete(SECRETS, namespace, 'type-tls');
  await untilReady(world, namespace, 'type');
  await opensslAccepts((await readSecret(world, namespace, 'type-tls'))?.object ?? {});
});

test('what others change of such a Secret is put right, and a tls.key of theirs stays', async () => {
  const { world, namespace } = await scene.get();
  const client = await clientKey();
  const names = { secretDataNames: { certificate: 'client.crt', ca: 'root.crt' } };
  await create(
    world,
    clientCertificate(namespace, 'touched', { commonName: 'client', csr: { inline: client.csr }, ...names }),
  );
  const { object } = await untilRevision(world, namespace, 'touched-tls', 1);
  assert.equal(Object.keys(object.data ?? {}).sort(), ['ca.crt', 'client.crt', 'root.crt', 'tls.crt']);
  await patch(world, SECRETS, namespace, 'touched-tls', { data: { 'tls.key': base64(client.key) } });
  // The certificate of another key, which the trust bundle verifies too.
  const other = await clientKey();
  await create(world, clientCertificate(namespace, 'other', { commonName: 'client', csr: { inline: other.csr } }));
  const foreign = await untilRevision(world, namespace, 'other-tls', 1);
  await patch(world, SECRETS, namespace, 'touched-tls', { data: { 'tls.crt': foreign.object.data?.['tls.crt'] } });
  const mended = await untilRevision(world, namespace, 'touched-tls', 2);
  const { 'tls.key': key, ...data } = mended.object.data ?? {};
  assert.is(key, base64(client.key));
  await goesWith({ ...mended.object, data }, client);
  assert.is(data['client.crt'], data['tls.crt']);
});

test.run();
