import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { createSecret, deleteSecret, patchCertificate, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { unlocked } from '../support/key-stores.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const passwordSecretRef = { name: 'store-password', key: 'password' };
const OUTPUTS = {
  additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
  keystores: {
    pkcs12: { create: true, passwordSecretRef },
    jks: { create: true, passwordSecretRef, alias: 'client' },
  },
  secretDataNames: { certificate: 'client.crt', privateKey: 'client.key', ca: 'root.crt' },
};
const FILES = ['ca.crt', 'client.crt', 'client.key', 'key.der', 'keystore.jks', 'keystore.p12', 'root.crt'];
const ALL_FILES = [...FILES, 'tls-combined.pem', 'tls.crt', 'tls.key', 'truststore.jks', 'truststore.p12'];
const STORES = ALL_FILES.filter((each) => /store/.test(each));

const scene = oneScene({});
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');
const password = (text: string) => ({ data: { password: base64(text) } });

async function stored(world: World, namespace: string): Promise<RawObject> {
  return (await readSecret(world, namespace, 'client-tls'))?.object ?? {};
}

const changed = ({ data: before = {} }: RawObject, { data: after = {} }: RawObject) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]).sort();

test('without its password nothing is issued, and the status names the Secret and how to create it', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'client', OUTPUTS));
  await eventually('the status names the password', async () => {
    const status = await statusOf(world, namespace, 'client');
    const issuing = conditionOf(status, 'Issuing');
    return issuing?.reason === 'KeystorePasswordUnusable' && issuing.message;
  });
  const message = conditionOf(await statusOf(world, namespace, 'client'), 'Issuing')?.message ?? '';
  assert.match(message, `Secret ${namespace}/store-password does not exist; create it`);
  assert.is(await world.client.get(SECRETS, namespace, 'client-tls'), undefined);
});

test('a password with a line break at its end is refused, and once it is good the certificate comes with all files', async () => {
  const { world, namespace } = await scene.get();
  await createSecret(world, namespace, 'store-password', password('changeit\n'));
  await eventually('the line break is named', async () =>
    /ends with a line break/.test(conditionOf(await statusOf(world, namespace, 'client'), 'Issuing')?.message ?? ''),
  );
  await patchSecret(world, namespace, 'store-password', password('changeit'));
  await untilReady(world, namespace, 'client');
  const secret = await stored(world, namespace);
  const { data = {} } = secret;
  assert.equal(Object.keys(data).sort(), ALL_FILES);
  const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('latin1');
  assert.is(text('tls-combined.pem'), text('tls.key') + text('tls.crt'));
  assert.equal(
    [data['client.crt'], data['client.key'], data['root.crt']],
    [data['tls.crt'], data['tls.key'], data['ca.crt']],
  );
  assert.is(await unlocked(secret, 'keystore.p12', 'changeit'), text('tls.crt') + text('tls.key'));
  assert.is(await unlocked(secret, 'truststore.p12', 'changeit'), text('ca.crt'));
});

test('a change of the password changes the stores and nothing else', async () => {
  const { world, namespace } = await scene.get();
  const before = await stored(world, namespace);
  await patchSecret(world, namespace, 'store-password', {
    ...password('another one'),
    metadata: { labels: { a: 'b' } },
  });
  await eventually('the stores have changed', async () => changed(before, await stored(world, namespace)).length > 0);
  const after = await stored(world, namespace);
  assert.equal(changed(before, after), STORES);
  assert.match(await unlocked(after, 'keystore.p12', 'another one'), /BEGIN PRIVATE KEY/);
});

test('what else is written to the Secret leaves the stores byte for byte as they are', async () => {
  const { world, namespace } = await scene.get();
  const before = await stored(world, namespace);
  const secretTemplate = { labels: { team: 'shop' } };
  await patchCertificate(world, namespace, 'client', { spec: { secretTemplate } });
  await eventually(
    'the label is there',
    async () => (await stored(world, namespace)).metadata?.labels?.team === 'shop',
  );
  await patchCertificate(world, namespace, 'client', { spec: { additionalOutputFormats: [{ type: 'CombinedPEM' }] } });
  await eventually('key.der is gone', async () => !('key.der' in ((await stored(world, namespace)).data ?? {})));
  await patchSecret(world, namespace, 'store-password', { metadata: { labels: { a: 'c' } } });
  await untilReady(world, namespace, 'client');
  assert.equal(changed(before, await stored(world, namespace)), ['key.der']);
});

test('a store that is overwritten or removed comes back', async () => {
  const { world, namespace } = await scene.get();
  const isWhole = async () => {
    const secret = await stored(world, namespace);
    const opened = await unlocked(secret, 'keystore.p12', 'another one').catch(() => '');
    return /BEGIN PRIVATE KEY/.test(opened) && 'truststore.jks' in (secret.data ?? {});
  };
  assert.ok(await isWhole());
  await patchSecret(world, namespace, 'client-tls', { data: { 'keystore.p12': base64('x'), 'truststore.jks': null } });
  await eventually('the stores are back', isWhole);
});

test('a renewal writes all files anew, and each version of the Secret is of one pair', async () => {
  const { world, namespace } = await scene.get();
  const before = await stored(world, namespace);
  await renewAt(world, namespace, 'client');
  await untilRevision(world, namespace, 'client-tls', 2);
  const after = await stored(world, namespace);
  const same = ['ca.crt', 'root.crt'];
  assert.equal(
    changed(before, after),
    Object.keys(after.data ?? {})
      .filter((name) => !same.includes(name))
      .sort(),
  );
  const { data = {} } = after;
  const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('latin1');
  assert.is(await unlocked(after, 'keystore.p12', 'another one'), text('tls.crt') + text('tls.key'));
});

test('while it is suspended the stores stay as they are, and they follow the password when it goes on', async () => {
  const { world, namespace } = await scene.get();
  await patchCertificate(world, namespace, 'client', { spec: { suspend: true } });
  await untilReady(world, namespace, 'client', { reason: 'Suspended' });
  const before = await stored(world, namespace);
  await patchSecret(world, namespace, 'store-password', password('while suspended'));
  await patchCertificate(world, namespace, 'client', { spec: { keystores: { jks: null } } });
  await untilReady(world, namespace, 'client', { reason: 'Suspended' });
  assert.equal(changed(before, await stored(world, namespace)), []);
  await patchCertificate(world, namespace, 'client', { spec: { suspend: false } });
  await eventually('the stores have changed', async () => changed(before, await stored(world, namespace)).length > 0);
  const after = await stored(world, namespace);
  assert.equal(changed(before, after), STORES);
  assert.not.ok('keystore.jks' in (after.data ?? {}));
  assert.match(await unlocked(after, 'keystore.p12', 'while suspended'), /BEGIN PRIVATE KEY/);
});

test('a password that goes away keeps what there is, and holds up the next renewal', async () => {
  const { world, namespace } = await scene.get();
  const before = await stored(world, namespace);
  await deleteSecret(world, namespace, 'store-password');
  await eventually(
    'the status says so',
    async () =>
      conditionOf(await statusOf(world, namespace, 'client'), 'Issuing')?.reason === 'KeystorePasswordUnusable',
  );
  const status = await statusOf(world, namespace, 'client');
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  assert.equal(changed(before, await stored(world, namespace)), []);
  await createSecret(world, namespace, 'store-password', password('third'));
  await eventually('the stores open with it', async () =>
    /BEGIN PRIVATE KEY/.test(await unlocked(await stored(world, namespace), 'keystore.p12', 'third').catch(() => '')),
  );
});

test('without outputs their files go', async () => {
  const { world, namespace } = await scene.get();
  const none = { additionalOutputFormats: null, keystores: null, secretDataNames: null };
  await patchCertificate(world, namespace, 'client', { spec: none });
  await eventually('three files are left', async () => {
    const { data = {}, metadata } = await stored(world, namespace);
    return Object.keys(data).length === 3 && metadata?.annotations?.['certwheel.io/outputs'] === undefined;
  });
});

test('no log of the controller holds a password', async () => {
  const { controller } = await scene.get();
  assert.not.match(JSON.stringify(controller.logs), /changeit|another one|while suspended/);
});

test.run();
