import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { markOf } from '../../../src/trust-targets/judge.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { authorityStatusOf, selfManaged } from '../support/objects.ts';
import { applyWithoutRules } from '../support/older-crds.ts';
import { makeCa } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import {
  ALL_KINDS,
  createClusterAuthority,
  createConfigMap,
  edit,
  inTeam,
  pemOf,
  readConfigMap,
  untilAllHold,
  untilHeld,
} from '../trust-targets/support.ts';

// The attack: a tenant that may write authorities and ConfigMaps of its own namespace makes the controller write, delete or
// trust something elsewhere. The CRDs have no CEL rules, since stored objects may be older than these.

const scene = oneScene({
  authority: false,
  isHome: true,
  flags: ALL_KINDS,
  install: (cluster) => applyWithoutRules(cluster),
});
test.after(scene.stop);

/** Sends an authority as it stands, without a client that drops fields. */
function createAuthority({ cluster }: World, namespace: string, targets: readonly object[]) {
  const object = selfManaged(namespace, 'ca', { trust: { targets } });
  return plainApi(cluster).send('POST', `/apis/certwheel.io/v1alpha1/namespaces/${namespace}/certificateauthorities`, {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'CertificateAuthority',
    ...object,
  });
}

test('an authority of one namespace writes into no other, whatever its targets say', async () => {
  const { world } = await scene.get();
  const [tenant, victim] = [await world.namespace(), await world.namespace({ team: 'victim' })];
  const places = [{ all: true }, { names: [victim] }, { selector: { matchLabels: { team: 'victim' } } }];
  await createAuthority(world, tenant, [
    ...places.map((namespaces, index) => ({
      name: `place-${index}`,
      configMap: { name: `place-${index}` },
      namespaces,
    })),
    { name: 'bundle', clusterTrustBundle: { name: 'stolen' } },
    { name: 'own', configMap: { name: 'client-ca' } },
  ]);
  // The positive control: its own namespace is written.
  await untilHeld(world, tenant);
  await sleep(QUIET_MS);
  const { stdout } = await world.cluster.kubectl([
    'get',
    'configmaps',
    '-A',
    '-l',
    'certwheel.io/trust-target',
    '-o',
    'name',
  ]);
  const { items } = await world.client.list(CONFIG_MAPS, { labelSelector: 'certwheel.io/trust-target' });
  assert.ok(items.length > 0 && stdout !== '');
  assert.equal([...new Set(items.map(({ metadata }) => metadata?.namespace))], [tenant]);
  const bundles = await world.cluster.kubectl(['get', 'clustertrustbundles', '-o', 'name']);
  assert.is(bundles.stdout.includes('stolen'), false);
});

test('a ConfigMap of another owner, such as kube-root-ca.crt, is not taken by naming it', async () => {
  const { world } = await scene.get();
  const tenant = await world.namespace();
  await createConfigMap(world, tenant, { 'ca.crt': 'that of the API server' }, { name: 'kube-root-ca.crt' });
  const before = await readConfigMap(world, tenant, 'kube-root-ca.crt');
  await createAuthority(world, tenant, [
    { name: 'root', configMap: { name: 'kube-root-ca.crt' } },
    { name: 'own', configMap: { name: 'client-ca' } },
  ]);
  await untilHeld(world, tenant);
  const waiting = await eventually('it is named', async () => {
    const { trust } = await authorityStatusOf(world, tenant, 'ca');
    return trust?.targets?.find(({ name }) => name === 'root')?.waiting?.[0];
  });
  assert.is(waiting.reason, 'TrustTargetNotOwned');
  await world.client.delete(CERTIFICATE_AUTHORITIES, tenant, 'ca');
  await sleep(QUIET_MS);
  assert.equal(await readConfigMap(world, tenant, 'kube-root-ca.crt'), before);
});

test('the labels of an authority on a foreign ConfigMap gain nothing, there or elsewhere', async () => {
  const { world } = await scene.get();
  const [member, outsider] = [await world.namespace({ team: 'marks' }), await world.namespace()];
  const { metadata: owner } = await createClusterAuthority(world, 'marks', [inTeam('marks')]);
  const stored = await untilHeld(world, member);
  const labels = stored.metadata?.labels ?? {};
  const rogue = await makeCa('rogue');
  // With the labels alone, with the mark of the true object, and with another uid.
  const uid = owner?.uid ?? '';
  const marks = [
    '',
    markOf({ uid }, { namespace: member, name: 'client-ca' }),
    markOf({ uid: '1' }, { namespace: outsider, name: 'client-ca' }),
  ];
  for (const [index, mark] of marks.entries()) {
    const name = `forged-${index}`;
    const annotations = { 'certwheel.io/trust-mark': mark };
    await createConfigMap(world, outsider, { 'ca.crt': rogue.certificate }, { name, labels, annotations });
  }
  await edit(world, CONFIG_MAPS, member, 'client-ca', { data: { 'ca.crt': rogue.certificate } });
  await eventually('its own is repaired', async () => pemOf(await readConfigMap(world, member)) === pemOf(stored));
  await sleep(QUIET_MS);
  for (const [index] of marks.entries())
    assert.is(pemOf(await readConfigMap(world, outsider, `forged-${index}`)), rogue.certificate);
  const { fingerprintsSHA256, strangers } = await untilAllHold(world, 'marks', 1);
  assert.is(fingerprintsSHA256?.length, 1);
  assert.is(strangers, undefined);
});

test.run();
