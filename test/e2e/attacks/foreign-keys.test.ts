import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  resourcePath,
} from '../../../src/api/names.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { createSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// Names, labels, keys of Secrets and types of conditions that are properties of every JavaScript object: `constructor`,
// `__proto__`.

const LABELS = Object.fromEntries(
  ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'].map((word) => [word, `x${word}`]),
);
const KEYS = ['__proto__', 'constructor', 'toString'];

const scene = oneScene({ authority: false, isHome: true, flags: ['--routine-events'] });
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');

test('a ClientCertificate and an authority with such names and keys are issued, renewed and reported like any other', async () => {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace(LABELS);
  await createAuthority(world, selfManaged(namespace, 'constructor', { selfManaged: { commonName: '__proto__' } }));
  const spec = {
    authorityRef: { name: 'constructor' },
    secretName: 'constructor',
    commonName: '__proto__',
    subject: { organizations: ['constructor', '__proto__'] },
    dnsNames: ['constructor', 'valueof.constructor'],
    uris: ['constructor:__proto__'],
    emailAddresses: ['__proto__@constructor'],
    secretTemplate: { labels: LABELS, annotations: LABELS },
  };
  await create(world, clientCertificate(namespace, 'constructor', spec, LABELS));
  const status = await untilReady(world, namespace, 'constructor');
  const secret = await readSecret(world, namespace, 'constructor');
  for (const [key, value] of Object.entries(LABELS)) {
    assert.is(secret?.labels[key], value);
    assert.is(secret?.annotations[key], value);
  }
  assert.match(secret?.leaf.subject ?? '', 'CN=__proto__');
  assert.match(secret?.leaf.subjectAltName ?? '', 'DNS:constructor, DNS:valueof.constructor');

  const [event] = await eventually('there is an event', async () => {
    const found = await eventsOf(world, namespace, 'constructor');
    return found.some(({ reason }) => reason === 'Issued') && found;
  });
  assert.is(event?.regarding.name, 'constructor');
  const series = new RegExp(`^certwheel_certificate_[a-z_]+\\{.*namespace="${namespace}".*"constructor".*\\} \\d`, 'm');
  assert.match(await controller.metrics(), series);
  assert.is(conditionOf(await authorityStatusOf(world, namespace, 'constructor'), 'Ready')?.status, 'True');

  const foreign = { reason: 'R', message: 'm', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' };
  const conditions = [
    ...(status.conditions ?? []),
    { type: 'constructor', ...foreign },
    { type: 'toString', ...foreign },
  ];
  const path = resourcePath(CLIENT_CERTIFICATES, namespace, 'constructor', 'status');
  await plainApi(world.cluster).send('PATCH', path, { status: { conditions } }, 'application/merge-patch+json');
  await renewAt(world, namespace, 'constructor');
  await untilRevision(world, namespace, 'constructor', 2);
  const after = await eventually('the status tells the renewal', async () => {
    const found = await statusOf(world, namespace, 'constructor');
    return found.revision === 2 && found;
  });
  assert.is(conditionOf(after, 'constructor')?.message, 'm');
  assert.is(conditionOf(after, 'Ready')?.status, 'True');
});

for (const key of KEYS) {
  const name = `file-${key.replaceAll('_', '').toLowerCase()}`;
  test(`a file and a password under the key ${key} are like any other, and a missing one is reported`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    await createAuthority(world, selfManaged(namespace));
    const passwordSecretRef = { name: 'store', key };
    await createSecret(world, namespace, 'store', { data: { other: base64('changeit') } });
    await create(
      world,
      clientCertificate(namespace, name, {
        keystores: { jks: { create: true, passwordSecretRef } },
        secretDataNames: Object.fromEntries([['certificate', key]]),
      }),
    );
    const { conditions } = await untilReady(world, namespace, name, {
      type: 'Issuing',
      reason: 'KeystorePasswordUnusable',
    });
    const message = conditions?.find(({ type }) => type === 'Issuing')?.message ?? '';
    assert.match(message, `Secret ${namespace}/store, key ${key}: there is no password`);
    await patchSecret(world, namespace, 'store', { data: Object.fromEntries([[key, base64('changeit')]]) });
    await untilReady(world, namespace, name);
    const isThere = async () => {
      const { data = {} } = (await readSecret(world, namespace, `${name}-tls`))?.object ?? {};
      return Object.hasOwn(data, key) && data[key] === data['tls.crt'];
    };
    assert.ok(await isThere());
    await patchSecret(world, namespace, `${name}-tls`, { data: Object.fromEntries([[key, null]]) });
    await eventually('the file is back', isThere);
  });
}

test('a CA signs although its Secret has such keys besides', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const { certificatePem, keyPem } = createIssuer('constructor');
  const pair = { 'tls.crt': base64(certificatePem), 'tls.key': base64(keyPem) };
  const data = Object.fromEntries([...KEYS.map((key) => [key, 'eA==']), ...Object.entries(pair)]);
  await createSecret(world, namespace, 'constructor', { data, labels: LABELS, annotations: LABELS });
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { secret: { name: 'constructor' } },
  });
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
});

async function untilAuthority(world: World, namespace: string, name: string, reason: string): Promise<string> {
  return eventually(`authority ${name} has the reason ${reason}`, async () => {
    const condition = conditionOf(await authorityStatusOf(world, namespace, name), 'Ready');
    return condition?.reason === reason && condition.message;
  });
}

for (const [index, key] of KEYS.entries()) {
  test(`a trust bundle under the key ${key} is taken, and where it is missing the status says so`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    const bundle = createIssuer('CA of the signer').certificatePem;
    await createSecret(world, namespace, 'full', { data: Object.fromEntries([[key, base64(bundle)]]) });
    await createSecret(world, namespace, 'empty', { data: { 'ca.crt': base64(bundle) } });
    for (const name of ['full', 'empty']) {
      const trustBundle = { secret: { name, key } };
      await world.client.create(CERTIFICATE_AUTHORITIES, {
        metadata: { namespace, name: `${name}-${index}` },
        spec: { kubernetesCSR: { signerName: 'example.com/clients', trustBundle } },
      });
    }
    await untilAuthority(world, namespace, `full-${index}`, 'Verified');
    const message = await untilAuthority(world, namespace, `empty-${index}`, 'TrustBundleNotFound');
    assert.match(message, `has no key ${key}`);
  });
}

test('a namespace label called constructor selects the namespaces that have it, and no other', async () => {
  const { world } = await scene.get();
  const [within, without] = [await world.namespace({ constructor: 'yes' }), await world.namespace()];
  const name = `constructor-${process.pid}`;
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: {
      selfManaged: { commonName: 'constructor' },
      allowedNamespaces: { selector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] } },
    },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name };
  for (const namespace of [within, without])
    await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, within, 'client');
  await untilReady(world, without, 'client', { type: 'Issuing', reason: 'NamespaceNotAllowed' });
  assert.is(await readSecret(world, without, 'client-tls'), undefined);
});

test.run();
