import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { patch } from '../support/edits.ts';
import { provesSoon } from '../support/moments.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { usedUp } from '../support/quota.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import {
  ALL_KINDS,
  clusterStatus,
  createClusterAuthority,
  createConfigMap,
  edit,
  inTeam,
  label,
  pemOf,
  readConfigMap,
  untilAllHold,
  untilGone,
  untilHeld,
  untilStatus,
} from './support.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ALL_KINDS });
test.after(scene.stop);

test('the bundle of ca.crt is in the namespaces with the label, and status says so', async () => {
  const { world } = await scene.get();
  const teams = [await world.namespace({ team: 'blue' }), await world.namespace({ team: 'blue' })];
  const other = await world.namespace({ team: 'red' });
  await createClusterAuthority(world, 'blue', [inTeam('blue')]);
  const [first = ''] = teams;
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'blue' };
  await create(world, clientCertificate(first, 'client', { authorityRef }));
  for (const each of teams) await untilHeld(world, each);
  await untilReady(world, first, 'client');
  const issued = await readSecret(world, first, 'client-tls');
  for (const each of teams) assert.is(pemOf(await readConfigMap(world, each)), issued?.bundle);
  assert.is(await readConfigMap(world, other), undefined);
  const status = await untilAllHold(world, 'blue', 2);
  const { generations = [] } = await clusterStatus(world, 'blue');
  assert.equal(status.fingerprintsSHA256, [generations[0]?.fingerprintSHA256]);
  assert.is(status.waiting, undefined);
  assert.is(status.strangers, undefined);
});

test('a namespace that gets the label gets the object, and one that loses it loses the object', async () => {
  const { world } = await scene.get();
  const [early, late] = [await world.namespace({ team: 'green' }), await world.namespace()];
  await createClusterAuthority(world, 'green', [inTeam('green')]);
  await untilHeld(world, early);
  await label(world, late, { team: 'green' });
  await untilHeld(world, late);
  await untilAllHold(world, 'green', 2);
  await label(world, early, { team: null });
  await untilGone(world, early);
  await untilAllHold(world, 'green', 1);
  assert.ok(await readConfigMap(world, late));
});

test('a target that leaves the spec takes its objects with it, and an authority that is deleted leaves them', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'grey' });
  const second = { ...inTeam('grey'), name: 'second', configMap: { name: 'second' } };
  await createClusterAuthority(world, 'grey', [inTeam('grey'), second]);
  await untilHeld(world, namespace);
  await untilHeld(world, namespace, 1, 'second');
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'grey', { spec: { trust: { targets: [inTeam('grey')] } } });
  await untilGone(world, namespace, 'second');
  const before = await readConfigMap(world, namespace);
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'grey');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(await readConfigMap(world, namespace), before);
});

test('what is edited or deleted is repaired within five seconds, and another CA in it is an event', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'pink' });
  await createClusterAuthority(world, 'pink', [inTeam('pink')]);
  const stored = await untilHeld(world, namespace);
  const rogue = await makeCa('rogue');
  const editedAtMs = Date.now();
  await edit(world, CONFIG_MAPS, namespace, 'client-ca', { data: { 'ca.crt': pemOf(stored) + rogue.certificate } });
  const repaired = await eventually('it is repaired', async () => {
    const found = await readConfigMap(world, namespace);
    return found !== undefined && pemOf(found) === pemOf(stored) && found;
  });
  provesSoon('what was edited is repaired', repaired, editedAtMs, 5_000);
  await world.client.delete(CONFIG_MAPS, namespace, 'client-ca');
  const deletedAtMs = Date.now();
  provesSoon('what was deleted is there again', await untilHeld(world, namespace), deletedAtMs, 5_000);
  const { stdout } = await world.cluster.kubectl(['get', 'events', '-A', '-o', 'json']);
  const notes = (JSON.parse(stdout).items as { reason: string; message?: string }[])
    .filter(({ reason }) => reason === 'TrustTargetRepaired')
    .map(({ message }) => message ?? '');
  assert.ok(
    notes.some((note) => note.includes(`${namespace}/client-ca`)),
    notes.join('\n'),
  );
});

test('labels and keys of others stay on an object', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'gold' });
  await createClusterAuthority(world, 'gold', [inTeam('gold')]);
  await untilHeld(world, namespace);
  await edit(world, CONFIG_MAPS, namespace, 'client-ca', {
    metadata: { labels: { owner: 'platform' } },
    data: { note: 'theirs', 'ca.crt': 'broken' },
  });
  const repaired = await untilHeld(world, namespace);
  assert.is(repaired.metadata?.labels?.owner, 'platform');
  assert.is(repaired.data?.note, 'theirs');
});

test('an object that another party changes again and again is named, and repaired seldom', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'war' });
  await createClusterAuthority(world, 'war', [inTeam('war')]);
  const stored = await untilHeld(world, namespace);
  let writes = 0;
  const status = await eventually('it is contested', async () => {
    const live = await readConfigMap(world, namespace);
    if (pemOf(live) === pemOf(stored)) {
      await edit(world, CONFIG_MAPS, namespace, 'client-ca', { data: { 'ca.crt': `war ${writes++}` } });
    }
    const { trust } = await clusterStatus(world, 'war');
    const [target] = trust?.targets ?? [];
    return target?.waiting?.[0]?.reason === 'TrustTargetContested' && target;
  });
  assert.match(status.waiting?.[0]?.message ?? '', 'field manager "somebody-else" writes data.ca.crt');
  assert.ok(writes >= 4 && writes <= 6, `${writes} edits were undone at once`);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.is(pemOf(await readConfigMap(world, namespace)), `war ${writes - 1}`);
});

test('a foreign object is never changed, is named, and is taken over where it is handed over', async () => {
  const { world } = await scene.get();
  const [taken, free] = [await world.namespace({ team: 'own' }), await world.namespace({ team: 'own' })];
  await createConfigMap(world, taken, { 'ca.crt': 'theirs', other: 'kept' });
  const before = await readConfigMap(world, taken);
  await createClusterAuthority(world, 'own', [inTeam('own')]);
  await untilHeld(world, free);
  const { waiting } = await untilStatus(world, 'own', ({ holding, objects }) => holding === 1 && objects === 2);
  assert.is(waiting?.[0]?.object, `${taken}/client-ca`);
  assert.is(waiting?.[0]?.reason, 'TrustTargetNotOwned');
  const command = `kubectl annotate configmap -n ${taken} client-ca certwheel.io/adopt=own`;
  assert.match(waiting?.[0]?.message ?? '', command);
  assert.equal(await readConfigMap(world, taken), before);
  await world.cluster.kubectl(command.split(' ').slice(1));
  const adopted = await untilHeld(world, taken);
  assert.is(adopted.data?.other, 'kept');
  await untilAllHold(world, 'own', 2);
});

test('a namespace without room is named, and delays no other', async () => {
  const { world } = await scene.get();
  const [full, free] = [await world.namespace({ team: 'full' }), await world.namespace({ team: 'full' })];
  const release = await usedUp(world, full, 'none', { 'count/configmaps': '1' });
  await createClusterAuthority(world, 'full', [inTeam('full')]);
  await untilHeld(world, free);
  const { waiting } = await untilStatus(
    world,
    'full',
    ({ waiting: [first] = [] }) => first?.reason === 'TrustTargetRefused',
  );
  assert.is(waiting?.[0]?.object, `${full}/client-ca`);
  assert.match(waiting?.[0]?.message ?? '', 'exceeded quota: none');
  await release();
  await untilHeld(world, full);
  await untilAllHold(world, 'full', 2);
});

test.run();
