import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import { createSecret, deleteSecret, patchCertificate, patchSecret, untilRevision } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { watchSecrets } from '../support/secret-witness.ts';

/** How soon everything must have recovered. */
const SOON_MS = 5_000;
const REFUSED = { status: 'False', reason: 'SecretNotOwned' };

const scene = oneScene({}, async () => ({ ca: await makeCa('By hand') }));
test.after(scene.stop);

test('a Secret that is not ours is not touched, whatever its type and whatever it looks like', async () => {
  const { world, controller, namespace, ca } = await scene.get();
  const data = tlsData(await makeLeaf(ca, 'by-hand'), ca.certificate);
  const ours = { [names.CERTIFICATE_NAME_LABEL]: 'forged' };
  const foreign = {
    opaque: { data: { password: 'c2VjcmV0' } },
    tls: { type: 'kubernetes.io/tls', data },
    docker: { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } },
    // Our label with the uid of another resource, without any, and the uid alone.
    forged: {
      type: 'kubernetes.io/tls',
      data,
      labels: ours,
      annotations: { [names.CERTIFICATE_UID_ANNOTATION]: 'other' },
    },
    labelled: { type: 'kubernetes.io/tls', data, labels: { [names.CERTIFICATE_NAME_LABEL]: 'labelled' } },
    // To be adopted by another ClientCertificate.
    promised: { type: 'kubernetes.io/tls', data, annotations: { [names.ADOPT_ANNOTATION]: 'somebody-else' } },
  };
  const secrets = await watchSecrets(world, namespace);
  for (const [name, content] of Object.entries(foreign)) {
    const before = await createSecret(world, namespace, `${name}-tls`, content);
    await create(world, clientCertificate(namespace, name));
    const status = await untilReady(world, namespace, name, REFUSED, SOON_MS);
    const isTls = 'type' in content && content.type === 'kubernetes.io/tls';
    assert.match(
      conditionOf(status, 'Ready')?.message ?? '',
      isTls
        ? `kubectl annotate secret -n ${namespace} ${name}-tls --overwrite certwheel.io/adopt=${name}`
        : "can't be changed, so it can't be handed over",
    );
    assert.is(conditionOf(status, 'Stalled')?.reason, 'SecretNotOwned');
    assert.is(status.serialNumber, undefined);
    // With managedFields and resourceVersion: no write at all, not even of the same bytes.
    assert.equal(await world.client.get(names.SECRETS, namespace, `${name}-tls`), before, name);
    assert.is(signatures(controller, namespace, name), 0);
  }
  await sleep(QUIET_MS);
  await secrets.settled();
  for (const name of Object.keys(foreign)) assert.is(secrets.versions(`${name}-tls`).length, 1, name);
});

test('a foreign Secret that is deleted during a reconcile does not block its certificate', async () => {
  const { world, namespace } = await scene.get();
  const crowd = Array.from({ length: 200 }, (_, index) => `vanishing-${index}`);
  await Promise.all(crowd.map((name) => createSecret(world, namespace, `${name}-tls`)));
  await Promise.all(
    crowd.map(async (name, index) => {
      await create(world, clientCertificate(namespace, name));
      // Each one goes at another moment of its reconcile.
      await sleep(index % 40);
      await deleteSecret(world, namespace, `${name}-tls`);
    }),
  );
  // Time enough for two shared cores, and far less than the next periodic reconcile.
  await Promise.all(crowd.map((name) => untilReady(world, namespace, name, {}, 30_000)));
});

test('a tls Secret from another CA is adopted and re-issued', async () => {
  const { world, controller, namespace, ca } = await scene.get();
  const byHand = await makeLeaf(ca, 'migrated');
  const content = { type: 'kubernetes.io/tls', data: tlsData(byHand), labels: { team: 'payments' } };
  await createSecret(world, namespace, 'migrated-tls', content);
  await create(world, clientCertificate(namespace, 'migrated'));
  await untilReady(world, namespace, 'migrated', REFUSED, SOON_MS);
  await patchSecret(world, namespace, 'migrated-tls', {
    metadata: { annotations: { [names.ADOPT_ANNOTATION]: 'migrated' } },
  });
  assert.is((await untilReady(world, namespace, 'migrated', {}, SOON_MS)).revision, 1);
  const adopted = await readSecret(world, namespace, 'migrated-tls');
  assert.is.not(adopted?.chain, byHand.certificate);
  assert.is.not(adopted?.key, byHand.key);
  // Labels of other writers stay.
  assert.is(adopted?.labels.team, 'payments');
  await opensslAccepts(adopted?.object ?? {});
  assert.is(signatures(controller, namespace, 'migrated'), 1);
});

test('a Secret that is entirely from another CA, bundle included, is adopted and re-issued at once', async () => {
  const { world, controller, namespace, ca } = await scene.get();
  await createSecret(world, namespace, 'complete-tls', {
    type: 'kubernetes.io/tls',
    data: tlsData(await makeLeaf(ca, 'complete'), ca.certificate),
    annotations: { [names.ADOPT_ANNOTATION]: 'complete' },
  });
  await create(world, clientCertificate(namespace, 'complete'));
  await untilReady(world, namespace, 'complete', {}, SOON_MS);
  const adopted = await readSecret(world, namespace, 'complete-tls');
  assert.is(adopted?.leaf.issuer, 'CN=Test ca v1');
  assert.is.not(adopted?.bundle, ca.certificate);
  assert.is(signatures(controller, namespace, 'complete'), 1);
});

test('a Secret restored from a backup is adopted with the certificate that it has', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'restored', { deletionPolicy: 'Retain' }));
  await untilReady(world, namespace, 'restored');
  const backup = await readSecret(world, namespace, 'restored-tls');
  assert.ok(backup);
  // Both are lost; both come back, the resource with another uid.
  await world.client.delete(names.CLIENT_CERTIFICATES, namespace, 'restored');
  await deleteSecret(world, namespace, 'restored-tls');
  const { type = '', data } = backup.object;
  const { labels } = backup;
  const annotations: Record<string, string> = { ...backup.annotations, [names.ADOPT_ANNOTATION]: 'restored' };
  await createSecret(world, namespace, 'restored-tls', { type, data, labels, annotations });
  await create(world, clientCertificate(namespace, 'restored'));
  const status = await untilReady(world, namespace, 'restored', {}, SOON_MS);
  assert.is(status.serialNumber, backup.leaf.serialNumber.toLowerCase());
  assert.is(status.revision, 1);
  await sleep(QUIET_MS);
  const now = await readSecret(world, namespace, 'restored-tls');
  assert.equal(now?.object.data, data);
  assert.is.not(now?.annotations[names.CERTIFICATE_UID_ANNOTATION], annotations[names.CERTIFICATE_UID_ANNOTATION]);
  assert.is(signatures(controller, namespace, 'restored'), 1);
});

test('a Secret of another type cannot be adopted, and the message says what to do', async () => {
  const { world, controller, namespace } = await scene.get();
  const annotations = { [names.ADOPT_ANNOTATION]: 'mistyped' };
  const before = await createSecret(world, namespace, 'mistyped-tls', { annotations });
  await create(world, clientCertificate(namespace, 'mistyped'));
  const status = await untilReady(world, namespace, 'mistyped', REFUSED, SOON_MS);
  assert.is(
    conditionOf(status, 'Ready')?.message,
    "Secret mistyped-tls exists and is not this ClientCertificate's; its type Opaque can't be changed, so it can't be handed over: create this ClientCertificate anew with another secretName",
  );
  assert.equal(await world.client.get(names.SECRETS, namespace, 'mistyped-tls'), before);
  await deleteSecret(world, namespace, 'mistyped-tls');
  await untilReady(world, namespace, 'mistyped', {}, SOON_MS);
  assert.is(signatures(controller, namespace, 'mistyped'), 1);
});

test('a Secret that another owner controls gets its certificate as a further owner, and is renewed', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'shared', { deletionPolicy: 'Retain' }));
  await untilReady(world, namespace, 'shared');
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'theirs', uid: 'theirs-uid', controller: true };
  await patchSecret(world, namespace, 'shared-tls', { metadata: { ownerReferences: [owner] } });
  await patchCertificate(world, namespace, 'shared', { spec: { deletionPolicy: 'Delete', duration: '2h' } });
  await untilRevision(world, namespace, 'shared-tls', 2);
  const secret = await readSecret(world, namespace, 'shared-tls');
  const owners = (secret?.object.metadata?.ownerReferences ?? []) as { uid: string; controller?: boolean }[];
  assert.equal(owners.map(({ controller }) => controller ?? false).sort(), [false, true]);
  assert.ok(owners.some(({ uid, controller }) => uid === owner.uid && controller));
  await untilReady(world, namespace, 'shared');
});

test.run();
