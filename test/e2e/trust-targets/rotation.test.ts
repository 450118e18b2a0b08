import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { certificatesOf } from '../authority/history.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import {
  ALL_KINDS,
  clusterStatus,
  createClusterAuthority,
  edit,
  inTeam,
  pemOf,
  readConfigMap,
  untilAllHold,
  untilHeld,
} from './support.ts';

const FLAGS = [...ALL_KINDS, '--trust-propagation', '2s', '--kubelet-sync', '1s'];
const scene = oneScene({ authority: false, isHome: true, flags: FLAGS });
test.after(scene.stop);

const SINCE = 'certwheel.io/trusted-since';

/** Writes to objects named client-ca by Certwheel so far. */
async function writes({ cluster }: World): Promise<string[]> {
  const events = await cluster.auditEvents();
  return events
    .filter(({ verb, objectRef }) => objectRef?.name === 'client-ca' && ['patch', 'create', 'delete'].includes(verb))
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.namespace}`);
}

test('a CA rotation shows the old CA and the new one before the new one signs, and then the new one alone', async () => {
  const { world, namespace: home } = await scene.get();
  const teams = [await world.namespace({ team: 'turn' }), await world.namespace({ team: 'turn' })];
  const [tenant = ''] = teams;
  const [v1, v2] = [await makeCa('turn v1'), await makeCa('turn v2')];
  await putCaSecret(world, home, 'turn-pair', pairData(v1));
  await createClusterAuthority(world, 'turn', [inTeam('turn')], {
    selfManaged: undefined,
    secret: { name: 'turn-pair' },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'turn' };
  await create(world, clientCertificate(tenant, 'client', { authorityRef, duration: '1m' }));
  await untilReady(world, tenant, 'client');
  for (const each of teams) await untilHeld(world, each);
  const before = await readConfigMap(world, tenant);
  const [, firstSince = ''] = before?.metadata?.annotations?.[SINCE]?.split('=') ?? [];
  await putCaSecret(world, home, 'turn-pair', pairData(v2));
  await Promise.all(teams.map((each) => untilHeld(world, each, 2)));
  const during = await readConfigMap(world, tenant);
  assert.is((await readSecret(world, tenant, 'client-tls'))?.leaf.issuer, v1.x509.subject, 'the old one signs still');
  const moments = during?.metadata?.annotations?.[SINCE]?.split(',').map((each) => each.split('=')[1]) ?? [];
  assert.is(moments.length, 2);
  assert.ok(moments.includes(firstSince), 'what it held already keeps its moment');
  const { trust } = await clusterStatus(world, 'turn');
  assert.ok((trust?.targets?.[0]?.fingerprintsSHA256?.length ?? 0) >= 1);
  await eventually('the new one alone is left', async () => {
    const found = await Promise.all(teams.map((each) => readConfigMap(world, each)));
    return found.every((each) => certificatesOf(pemOf(each)).length === 1 && pemOf(each) !== pemOf(before));
  });
  const issued = await readSecret(world, tenant, 'client-tls');
  assert.is(issued?.leaf.issuer, v2.x509.subject);
  for (const each of teams)
    await eventually('it is that of ca.crt', async () => {
      return pemOf(await readConfigMap(world, each)) === (await readSecret(world, tenant, 'client-tls'))?.bundle;
    });
});

test('a restart writes nothing, and a change while no controller ran is made good', async () => {
  const { world, namespace: home, controller } = await scene.get();
  const [kept, lost] = [await world.namespace({ team: 'rest' }), await world.namespace({ team: 'rest' })];
  await createClusterAuthority(world, 'rest', [inTeam('rest')]);
  await untilAllHold(world, 'rest', 2);
  const versionOf = async () =>
    (await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'rest'))?.metadata?.resourceVersion;
  const [status, before] = [await versionOf(), await readConfigMap(world, kept)];
  await controller.stop();
  const written = (await writes(world)).length;
  const args = [...FLAGS, '--controller-namespace', home];
  const second = await world.controller(args);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal((await writes(world)).slice(written), []);
  assert.equal(await readConfigMap(world, kept), before);
  assert.is(await versionOf(), status, 'its status is not written either');
  await second.stop();
  await edit(world, CONFIG_MAPS, lost, 'client-ca', { data: { 'ca.crt': 'lost' } });
  const third = await world.controller(args);
  await untilHeld(world, lost);
  await third.stop();
});

test('two active replicas write each object once, or twice where they meet', async () => {
  const { world, namespace: home } = await scene.get();
  const args = [...FLAGS, '--controller-namespace', home];
  const replicas = await Promise.all([world.controller(args), world.controller(args)]);
  const teams = await Promise.all(Array.from({ length: 5 }, () => world.namespace({ team: 'twins' })));
  const written = (await writes(world)).length;
  await createClusterAuthority(world, 'twins', [inTeam('twins')]);
  await untilAllHold(world, 'twins', 5);
  const [stored] = await Promise.all(teams.map((each) => readConfigMap(world, each)));
  assert.is(stored?.metadata?.labels?.['certwheel.io/trust-target'], 'twins');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const all = (await writes(world)).slice(written);
  assert.ok(all.length >= 5 && all.length <= 12, all.join('\n'));
  const versions = await Promise.all(
    teams.map(async (each) => (await readConfigMap(world, each))?.metadata?.resourceVersion),
  );
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const later = await Promise.all(
    teams.map(async (each) => (await readConfigMap(world, each))?.metadata?.resourceVersion),
  );
  assert.equal(later, versions);
  for (const each of replicas) await each.stop();
});

test.run();
