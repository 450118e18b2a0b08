import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { createSecret, deleteSecret, patchCertificate, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  type MountedSecret,
  mounted,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { faultOf, opensslAccepts } from '../support/secret-proof.ts';
import type { World } from '../support/world.ts';

/** How soon everything must have recovered. */
const SOON_MS = 5_000;

const scene = oneScene();
test.after(scene.stop);

async function ready(world: World, namespace: string, name: string): Promise<MountedSecret> {
  await create(world, clientCertificate(namespace, name));
  await untilReady(world, namespace, name);
  const secret = await readSecret(world, namespace, `${name}-tls`);
  assert.ok(secret);
  return secret;
}

test('a Secret without its label or its uid annotation is foreign: it is left alone until a person hands it over', async () => {
  const { world, controller, namespace } = await scene.get();
  const marks = {
    'uid-removed': { annotations: { [names.CERTIFICATE_UID_ANNOTATION]: null } },
    'name-removed': { labels: { [names.CERTIFICATE_NAME_LABEL]: null } },
  };
  for (const [name, metadata] of Object.entries(marks)) {
    const before = await ready(world, namespace, name);
    const { resourceVersion } = (await patchSecret(world, namespace, `${name}-tls`, { metadata })).metadata ?? {};
    await untilReady(world, namespace, name, { status: 'False', reason: 'SecretNotOwned' }, SOON_MS);
    const left = await readSecret(world, namespace, `${name}-tls`);
    assert.is(left?.object.metadata?.resourceVersion, resourceVersion);
    await patchSecret(world, namespace, `${name}-tls`, {
      metadata: { annotations: { [names.ADOPT_ANNOTATION]: name } },
    });
    await untilReady(world, namespace, name, {}, SOON_MS);
    const healed = await readSecret(world, namespace, `${name}-tls`);
    assert.is(healed?.leaf.serialNumber, before.leaf.serialNumber);
    assert.is(signatures(controller, namespace, name), 1);
  }
});

/** Deletes the Secret and creates another one in its place while the controller is frozen. */
async function replace(world: World, controller: ControllerProcess, namespace: string, name: string) {
  controller.signal('SIGSTOP');
  await deleteSecret(world, namespace, name);
  const foreign = await createSecret(world, namespace, name, { data: { password: 'c2VjcmV0' } });
  controller.signal('SIGCONT');
  return foreign;
}

test('a foreign Secret in the place of ours is never touched; its removal issues the certificate again', async () => {
  const { world, controller, namespace } = await scene.get();
  await ready(world, namespace, 'replaced');
  const foreign = await replace(world, controller, namespace, 'replaced-tls');
  const status = await untilReady(world, namespace, 'replaced', { status: 'False', reason: 'SecretNotOwned' }, SOON_MS);
  assert.match(
    conditionOf(status, 'Ready')?.message ?? '',
    "Secret replaced-tls exists and is not this ClientCertificate's; its type Opaque can't be changed",
  );
  assert.is(conditionOf(status, 'Stalled')?.reason, 'SecretNotOwned');
  assert.is(status.serialNumber, undefined);
  await renewAt(world, namespace, 'replaced');
  await patchCertificate(world, namespace, 'replaced', { spec: { dnsNames: ['new.example.com'] } });
  await untilReady(world, namespace, 'replaced', { status: 'False', reason: 'SecretNotOwned' }, SOON_MS);
  const live = await world.client.get(names.SECRETS, namespace, 'replaced-tls');
  assert.equal(live, foreign);
  assert.is(signatures(controller, namespace, 'replaced'), 1);

  await deleteSecret(world, namespace, 'replaced-tls');
  const healed = await untilReady(world, namespace, 'replaced', {}, SOON_MS);
  assert.is(healed.revision, 2);
  assert.is(conditionOf(healed, 'Stalled'), undefined);
  assert.is(signatures(controller, namespace, 'replaced'), 2);
});

test('the kubectl command of the message hands the Secret over', async () => {
  const { world, controller, namespace } = await scene.get();
  await ready(world, namespace, 'handed');
  const foreign = await makeCa('Foreign');
  controller.signal('SIGSTOP');
  await deleteSecret(world, namespace, 'handed-tls');
  const data = tlsData(await makeLeaf(foreign, 'handed'));
  await createSecret(world, namespace, 'handed-tls', { type: 'kubernetes.io/tls', data });
  controller.signal('SIGCONT');
  const status = await untilReady(world, namespace, 'handed', { status: 'False', reason: 'SecretNotOwned' }, SOON_MS);
  const [, command = ''] = /kubectl (.*)$/.exec(conditionOf(status, 'Ready')?.message ?? '') ?? [];
  await world.cluster.kubectl(command.split(' '));
  assert.is((await untilReady(world, namespace, 'handed', {}, SOON_MS)).revision, 2);
  const secret = await readSecret(world, namespace, 'handed-tls');
  await opensslAccepts(secret?.object ?? {});
});

test('a Secret that was made immutable fails with the reason, keeps its certificate, and is written again once it is deleted', async () => {
  const { world, namespace } = await scene.get();
  await ready(world, namespace, 'immutable');
  await patchSecret(world, namespace, 'immutable-tls', { immutable: true });
  await renewAt(world, namespace, 'immutable');
  const refused = { type: 'Stalled', status: 'True', reason: 'SecretRefused' };
  const status = await untilReady(world, namespace, 'immutable', refused, SOON_MS);
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  assert.match(conditionOf(status, 'Stalled')?.message ?? '', /immutable/);
  await deleteSecret(world, namespace, 'immutable-tls');
  // The pause after a failure may have to pass first.
  const healed = await eventually('a new Secret', async () => {
    const secret = await readSecret(world, namespace, 'immutable-tls');
    return secret !== undefined && secret;
  });
  assert.is(faultOf(healed.object), undefined);
  const after = await eventually('a status without trouble', async () => {
    const found = await statusOf(world, namespace, 'immutable');
    return conditionOf(found, 'Stalled') === undefined && conditionOf(found, 'Issuing') === undefined && found;
  });
  assert.is(after.serialNumber, mounted(healed.object).leaf.serialNumber.toLowerCase());
  assert.is(after.lastFailure, undefined);
  assert.is(after.nextAttemptTime, undefined);
});

test('a Secret that is lost during a long pause after a failure is written again soon', async () => {
  const { world, namespace } = await scene.get();
  // For a life of a minute, 5 seconds are the longest pause once there is no valid certificate.
  await create(world, clientCertificate(namespace, 'pausing', { duration: '1m' }));
  await untilReady(world, namespace, 'pausing');
  await patchSecret(world, namespace, 'pausing-tls', { immutable: true });
  await renewAt(world, namespace, 'pausing');
  await untilReady(world, namespace, 'pausing', { type: 'Stalled', status: 'True', reason: 'SecretRefused' }, SOON_MS);
  // As after many failures while the certificate had long to live.
  const nextAttemptTime = `${new Date(Date.now() + 3_000_000).toISOString().slice(0, 19)}Z`;
  const path = `${names.resourcePath(names.CLIENT_CERTIFICATES, namespace, 'pausing')}/status`;
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const lastFailure = { time, reason: 'SecretRefused', message: 'immutable', attempts: 9 };
  const change = { status: { nextAttemptTime, lastFailure } };
  await plainApi(world.cluster).send('PATCH', path, change, 'application/merge-patch+json');
  await deleteSecret(world, namespace, 'pausing-tls');
  await untilRevision(world, namespace, 'pausing-tls', 2, 2 * SOON_MS);
});

test.run();
