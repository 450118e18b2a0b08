import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import { deleteSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { provesSoon } from '../support/moments.ts';
import { clientCertificate, create, type MountedSecret, readSecret, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { faultOf, opensslAccepts } from '../support/secret-proof.ts';
import { revisionOf } from '../support/secret-witness.ts';
import type { World } from '../support/world.ts';

/** How soon everything must have recovered. */
const SOON_MS = 5_000;

const scene = oneScene({}, async () => ({ foreign: await makeCa('Foreign') }));
test.after(scene.stop);

/** A ready ClientCertificate, with labels of its own on the Secret. */
async function ready(world: World, namespace: string, name: string, spec: object = {}): Promise<MountedSecret> {
  const secretTemplate = { labels: { team: 'payments' }, annotations: { 'example.com/note': 'hello' } };
  await create(world, clientCertificate(namespace, name, { secretTemplate, ...spec }));
  await untilReady(world, namespace, name);
  const secret = await readSecret(world, namespace, `${name}-tls`);
  assert.ok(secret);
  return secret;
}

/** The note of the first event after the first issue. Events are written last. */
function renewalNote(world: World, namespace: string, name: string): Promise<string> {
  return eventually(`an event tells of ${name}`, async () => (await eventsOf(world, namespace, name))[0]?.note);
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const garbage = base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');

/** Damages that make the certificate useless. */
const DAMAGES: Readonly<Record<string, (foreign: Awaited<ReturnType<typeof makeCa>>) => Promise<object> | object>> = {
  'certificate-of-another': async (ca) => {
    const leaf = await makeLeaf(ca, 'certificate-of-another');
    return { data: { 'tls.crt': base64(leaf.certificate) } };
  },
  'key-of-another': async (ca) => ({ data: { 'tls.key': base64((await makeLeaf(ca, 'key')).key) } }),
  'bundle-of-another': (ca) => ({ data: { 'ca.crt': base64(ca.certificate) } }),
  'all-of-another': async (ca) => ({ data: tlsData(await makeLeaf(ca, 'all-of-another'), ca.certificate) }),
  // A tls Secret must keep tls.crt and tls.key, but they may be empty.
  'certificate-emptied': () => ({ data: { 'tls.crt': '' } }),
  'key-emptied': () => ({ data: { 'tls.key': '' } }),
  'bundle-removed': () => ({ data: { 'ca.crt': null } }),
  'certificate-garbled': () => ({ data: { 'tls.crt': garbage } }),
  'key-garbled': () => ({ data: { 'tls.key': base64('not a key') } }),
  'bundle-garbled': () => ({ data: { 'ca.crt': garbage } }),
};

test('data that was edited, emptied or garbled is replaced by a new certificate', async () => {
  const { world, controller, namespace, foreign } = await scene.get();
  const damages = Object.entries(DAMAGES);
  const before = new Map(
    await Promise.all(damages.map(async ([name]) => [name, await ready(world, namespace, name)] as const)),
  );
  const repaired = damages.map(async ([name, damage]) => {
    await patchSecret(world, namespace, `${name}-tls`, await damage(foreign));
    return untilRevision(world, namespace, `${name}-tls`, 2, SOON_MS);
  });
  const secrets = await Promise.all(repaired);
  for (const [index, [name]] of damages.entries()) {
    const secret = secrets[index] as MountedSecret;
    assert.is(faultOf(secret.object), undefined, name);
    assert.is.not(secret.leaf.serialNumber, before.get(name)?.leaf.serialNumber);
    assert.is.not(secret.key, before.get(name)?.key);
    assert.is(secret.bundle, before.get(name)?.bundle);
    await untilReady(world, namespace, name);
    assert.is(signatures(controller, namespace, name), 2, name);
    const note = await renewalNote(world, namespace, name);
    assert.match(note, name === 'all-of-another' ? /^AuthorityChanged: / : /^SecretRepaired: /, `${name}: ${note}`);
  }
});

test('a Secret that was deleted is written again, and its revision goes on', async () => {
  const { world, controller, namespace } = await scene.get();
  const before = await ready(world, namespace, 'deleted');
  for (const revision of [2, 3]) {
    await deleteSecret(world, namespace, 'deleted-tls');
    const after = await untilRevision(world, namespace, 'deleted-tls', revision, SOON_MS);
    assert.is.not(after.key, before.key);
    assert.is(after.labels.team, 'payments');
    await untilReady(world, namespace, 'deleted');
    assert.is(signatures(controller, namespace, 'deleted'), revision);
  }
  await opensslAccepts((await readSecret(world, namespace, 'deleted-tls'))?.object ?? {});
  assert.match(await renewalNote(world, namespace, 'deleted'), /^SecretRepaired: Secret deleted-tls is gone; serial/);
});

/** Damages after which the certificate is still good. */
const BLEMISHES: Readonly<Record<string, { metadata?: object; data?: (secret: MountedSecret, ca: string) => object }>> =
  {
    'label-removed': { metadata: { labels: { team: null } } },
    'label-changed': { metadata: { labels: { team: 'thieves' } } },
    'annotation-removed': { metadata: { annotations: { 'example.com/note': null } } },
    'revision-removed': { metadata: { annotations: { [names.REVISION_ANNOTATION]: null } } },
    'revision-garbled': { metadata: { annotations: { [names.REVISION_ANNOTATION]: 'first' } } },
    'issued-at-removed': { metadata: { annotations: { [names.ISSUED_AT_ANNOTATION]: null } } },
    'issued-at-garbled': { metadata: { annotations: { [names.ISSUED_AT_ANNOTATION]: 'yesterday' } } },
    'authority-removed': { metadata: { annotations: { [names.AUTHORITY_ANNOTATION]: null } } },
    'owner-removed': { metadata: { ownerReferences: null } },
    'bundle-extended': { data: (secret, ca) => ({ 'ca.crt': base64(secret.bundle + ca) }) },
  };

test('labels, annotations, owner and bundle that were damaged are repaired, and the certificate is kept', async () => {
  const { world, controller, namespace, foreign } = await scene.get();
  for (const [name, { metadata = {}, data }] of Object.entries(BLEMISHES)) {
    await ready(world, namespace, name);
    // A damaged annotation must not repeat a renewal that was requested and done.
    await renewAt(world, namespace, name);
    const before = await untilRevision(world, namespace, `${name}-tls`, 2);
    await untilReady(world, namespace, name);
    const damaged = await patchSecret(world, namespace, `${name}-tls`, {
      metadata,
      ...(data === undefined ? {} : { data: data(before, foreign.certificate) }),
    });
    const damagedMs = Date.now();
    const repaired = await eventually(`the Secret of ${name} is repaired`, async () => {
      const secret = await readSecret(world, namespace, `${name}-tls`);
      return secret?.object.metadata?.resourceVersion !== damaged.metadata?.resourceVersion && secret;
    });
    provesSoon(`${name} is repaired`, repaired.object, damagedMs, SOON_MS);
    assert.is(repaired.leaf.serialNumber, before.leaf.serialNumber, name);
    assert.is(repaired.key, before.key);
    assert.is(repaired.bundle, before.bundle);
    assert.equal(repaired.labels, before.labels, name);
    assert.equal(repaired.object.metadata?.ownerReferences, before.object.metadata?.ownerReferences);
    assert.is(revisionOf(repaired.object), 2);
    const comparable = ({ [names.ISSUED_AT_ANNOTATION]: _, ...annotations }: MountedSecret['annotations']) =>
      annotations;
    assert.equal(comparable(repaired.annotations), comparable(before.annotations), name);
    assert.ok(Date.parse(repaired.annotations[names.ISSUED_AT_ANNOTATION] ?? ''));
    assert.is((await untilReady(world, namespace, name)).revision, 2);
    assert.is(signatures(controller, namespace, name), 2, name);
  }
});

test.run();
