import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PODS } from '../../../src/api/names.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';
import { createClusterAuthority, inTeam, untilAllHold, untilStatus } from './support.ts';

const scene = oneScene({
  authority: false,
  isHome: true,
  flags: ['--trust-targets', 'configMaps,pods', '--kubelet-sync', '2s'],
});
test.after(scene.stop);

/** A Pod that started long ago, as its kubelet would report it. */
async function createPod({ client, cluster }: World, namespace: string, name: string, subPath: string | undefined) {
  const mount = { name: 'ca', mountPath: '/ca', ...(subPath === undefined ? {} : { subPath }) };
  const spec = {
    containers: [{ name: 'app', image: 'example', volumeMounts: [mount] }],
    volumes: [{ name: 'ca', configMap: { name: 'client-ca' } }],
    automountServiceAccountToken: false,
  };
  await client.create(PODS, { metadata: { namespace, name }, spec } as never);
  const startTime = '2020-01-01T00:00:00Z';
  const running = { name: 'app', image: 'example', imageID: '', ready: true, restartCount: 0, started: true };
  const status = {
    phase: 'Running',
    startTime,
    containerStatuses: [{ ...running, state: { running: { startedAt: startTime } } }],
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  await plainApi(cluster).send('PATCH', path, { status }, 'application/merge-patch+json');
}

test('a Pod with a subPath that started before the write is named until it is gone', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'pods' });
  await createPod(world, namespace, 'whole', undefined);
  await createPod(world, namespace, 'part', 'ca.crt');
  await createClusterAuthority(world, 'pods', [inTeam('pods')]);
  const status = await untilStatus(world, 'pods', ({ waiting }) => waiting?.[0]?.reason === 'TrustTargetNotDelivered');
  assert.is(status.holding, 1, 'it is written all the same');
  assert.is(status.delivery, 'Pods');
  assert.is(status.waiting?.length, 1);
  assert.match(status.waiting?.[0]?.message ?? '', `Pod ${namespace}/part (subPath) started before it was written`);
  await world.cluster.kubectl(['delete', 'pod', '-n', namespace, 'part', '--force', '--grace-period=0']);
  await untilStatus(world, 'pods', ({ waiting }) => waiting === undefined);
});

test('a target that demands no more than the write looks at no Pod', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'plain' });
  await createPod(world, namespace, 'part', 'ca.crt');
  await createClusterAuthority(world, 'plain', [{ ...inTeam('plain'), requiredProof: 'Written' }]);
  const { waiting, delivery } = await untilAllHold(world, 'plain', 1);
  assert.is(waiting, undefined);
  assert.is(delivery, undefined);
});

test.run();
