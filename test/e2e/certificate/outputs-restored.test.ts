import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { deleteSecret, patchCertificate, patchSecret, restoreSecret } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const OUTPUTS = { additionalOutputFormats: [{ type: 'DER' }], secretDataNames: { privateKey: 'client.key' } };
const NONE = { additionalOutputFormats: null, secretDataNames: null };
const STANDARD = ['ca.crt', 'tls.crt', 'tls.key'];

const scene = oneScene({});
test.after(scene.stop);

const filesOf = async (world: World, namespace: string, name: string) =>
  Object.keys((await readSecret(world, namespace, `${name}-tls`))?.object.data ?? {}).sort();

test('files that are asked for no more go, also where a backup tool has written the same bytes', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'restored', OUTPUTS));
  await untilReady(world, namespace, 'restored');
  const backup = (await world.client.get(SECRETS, namespace, 'restored-tls')) ?? {};
  assert.equal(Object.keys(backup.data ?? {}).sort(), ['ca.crt', 'client.key', 'key.der', 'tls.crt', 'tls.key']);
  // The same bytes by another field manager, which owns them from then on, too.
  await patchSecret(world, namespace, 'restored-tls', {
    metadata: { labels: { a: 'b' } },
    data: { 'other.txt': 'eA==' },
  });
  await world.cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=backup', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'restored-tls', namespace },
      type: backup.type,
      data: backup.data,
    }),
  });
  await patchCertificate(world, namespace, 'restored', { spec: NONE });
  await eventually(
    'the key is in tls.key alone, and the foreign file stays',
    async () =>
      (await filesOf(world, namespace, 'restored')).join() === ['ca.crt', 'other.txt', 'tls.crt', 'tls.key'].join(),
    15_000,
  );
});

test('a Secret that is restored from a backup with files is taken over, and they go with the outputs', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'velero', OUTPUTS));
  await untilReady(world, namespace, 'velero');
  const backup = (await world.client.get(SECRETS, namespace, 'velero-tls')) ?? {};
  await patchCertificate(world, namespace, 'velero', { spec: { suspend: true } });
  await untilReady(world, namespace, 'velero', { reason: 'Suspended' });
  await deleteSecret(world, namespace, 'velero-tls');
  await restoreSecret(world, namespace, backup);
  await patchCertificate(world, namespace, 'velero', { spec: { suspend: false } });
  await untilReady(world, namespace, 'velero');
  await patchCertificate(world, namespace, 'velero', { spec: NONE });
  await eventually(
    'three files are left',
    async () => (await filesOf(world, namespace, 'velero')).join() === STANDARD.join(),
    15_000,
  );
});

test.run();
