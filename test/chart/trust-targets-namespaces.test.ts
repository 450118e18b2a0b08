/** Trust targets where the controller has Roles in single namespaces, and lacks a right that its flags promise. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../src/api/names.ts';
import { startController } from '../e2e/support/controller-process.ts';
import { patch } from '../e2e/support/edits.ts';
import { authorityStatusOf, createAuthority, selfManaged } from '../e2e/support/objects.ts';
import { eventually, oneWorld } from '../e2e/support/world.ts';
import {
  ALL_KINDS,
  createClusterAuthority,
  inTeam,
  readConfigMap,
  untilGone,
  untilHeld,
  untilStatus,
} from '../e2e/trust-targets/support.ts';
import { accountKubeconfig, requestsOfAccount } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';

const SERVED = ['shop', 'bank'];

const shared = oneWorld({ own: true }, async (cluster) => {
  for (const name of [...SERVED, 'other']) await cluster.kubectl(['create', 'namespace', name]);
  await install(cluster, {
    namespaces: SERVED,
    controller: { clusterAuthorities: true },
    trustTargets: { configMaps: true },
  });
  const args = ['--namespaces', SERVED.join(','), '--cluster-authorities', '--controller-namespace', NAMESPACE];
  await startController(await accountKubeconfig(cluster), [...args, ...ALL_KINDS]);
});
test.after(shared.stop);

test('all means the namespaces that are served, and one that is not is named', async () => {
  const world = await shared.get();
  const all = { ...inTeam(''), namespaces: { all: true } };
  const listed = { name: 'listed', configMap: { name: 'listed' }, namespaces: { names: ['shop', 'other'] } };
  await createClusterAuthority(world, 'served', [all, listed], { allowedNamespaces: { names: SERVED } });
  for (const each of SERVED) await untilHeld(world, each);
  await untilHeld(world, 'shop', 1, 'listed');
  const { waiting } = await untilStatus(world, 'served', ({ holding }) => holding === 1, 'listed');
  assert.is(waiting?.[0]?.reason, 'TrustTargetNotServed');
  assert.match(waiting?.[0]?.message ?? '', 'namespace other is not served by this controller');
  assert.is(await readConfigMap(world, 'other'), undefined);
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'served');
});

test('a selector is refused, and what was written before stays', async () => {
  const world = await shared.get();
  const named = { ...inTeam('x'), configMap: { name: 'named' }, namespaces: { names: ['bank'] } };
  await createClusterAuthority(world, 'labels', [named], { allowedNamespaces: { names: SERVED } });
  await untilHeld(world, 'bank', 1, 'named');
  const bySelector = { ...inTeam('x'), configMap: { name: 'named' } };
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'labels', { spec: { trust: { targets: [bySelector] } } });
  const { waiting } = await untilStatus(world, 'labels', ({ waiting: [first] = [] }) => first !== undefined);
  assert.match(waiting?.[0]?.message ?? '', 'namespaces.selector needs the labels of namespaces');
  await untilHeld(world, 'bank', 1, 'named');
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'labels', { spec: { trust: { targets: [] } } });
  await untilGone(world, 'bank', 'named');
});

test('a right that is missing is named with the value of the chart, and the other targets go on', async () => {
  const world = await shared.get();
  const mesh = { name: 'mesh', clusterTrustBundle: { name: 'mesh' } };
  const plain = { ...inTeam(''), configMap: { name: 'plain' }, namespaces: { all: true } };
  await createClusterAuthority(world, 'rights', [mesh, plain], { allowedNamespaces: { names: SERVED } });
  for (const each of SERVED) await untilHeld(world, each, 1, 'plain');
  const { waiting } = await untilStatus(
    world,
    'rights',
    ({ waiting: [first] = [] }) => first?.reason === 'TrustTargetForbidden',
    'mesh',
  );
  assert.match(waiting?.[0]?.message ?? '', 'set trustTargets.clusterTrustBundles: true in the values of the chart');
});

test('an authority of one namespace has its targets there', async () => {
  const world = await shared.get();
  const targets = [{ name: 'own', configMap: { name: 'own' } }];
  await createAuthority(world, selfManaged('shop', 'ca', { trust: { targets } }));
  await untilHeld(world, 'shop', 1, 'own');
  await eventually('status', async () => {
    const { trust } = await authorityStatusOf(world, 'shop', 'ca');
    return trust?.targets?.[0]?.holding === 1;
  });
  const refused = (await requestsOfAccount(world.cluster)).filter(({ code }) => code === 403);
  assert.equal([...new Set(refused.map(({ resource }) => resource))], ['clustertrustbundles.certificates.k8s.io']);
});

test.run();
