/**
 * https://github.com/external-secrets/external-secrets/issues/2176: a resource is deleted in the foreground, as Argo CD does. The
 * garbage collector removes its Secret first, and the controller writes that back, so that the resource never goes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import { patchCertificate } from '../support/edits.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { watchSecrets } from '../support/secret-witness.ts';
import { eventually } from '../support/world.ts';

const HELD = { metadata: { finalizers: ['example.com/hold'] } };
const OWNED = { deletionPolicy: 'Delete' };

const scene = oneScene({ controllers: ['garbage-collector-controller'] });
test.after(scene.stop);

test('a foreground deletion removes the Secret first, which does not come back, with a finalizer or without', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const name of ['alice', 'held']) await create(world, clientCertificate(namespace, name, OWNED));
  for (const name of ['alice', 'held']) await untilReady(world, namespace, name);
  await patchCertificate(world, namespace, 'held', HELD);
  const secrets = await watchSecrets(world, namespace);
  for (const name of ['alice', 'held']) {
    const path = `${resourcePath(CLIENT_CERTIFICATES, namespace, name)}?propagationPolicy=Foreground`;
    await plainApi(world.cluster).send('DELETE', path);
  }
  await eventually('alice is gone', async () => !(await world.client.get(CLIENT_CERTIFICATES, namespace, 'alice')));
  // Which of the two the garbage collector handles first is a race; without this the Secret may stay until held goes.
  await world.client.delete(SECRETS, namespace, 'held-tls');
  await untilReady(world, namespace, 'held', { status: 'False', reason: 'BeingDeleted' });
  await patchCertificate(world, namespace, 'held', { metadata: { finalizers: null } });
  await eventually('held is gone', async () => !(await world.client.get(CLIENT_CERTIFICATES, namespace, 'held')));
  const areGone = async () =>
    (await Promise.all(['alice', 'held'].map((name) => world.client.get(SECRETS, namespace, `${name}-tls`)))).every(
      (each) => each === undefined,
    );
  await eventually('their Secrets are gone', areGone);
  await secrets.settled();
  for (const name of ['alice', 'held']) {
    assert.is(signatures(controller, namespace, name), 1);
    const seen = secrets.versions(`${name}-tls`);
    // The first version is the one that the witness began with.
    const since = seen.slice(1).map(({ type }) => type);
    assert.ok(since.at(-1) === 'DELETED' && !since.includes('ADDED'), `${name}: ${since}`);
  }
});

test.run();
