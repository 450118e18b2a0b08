/** Trust targets with the rights of the chart alone, and under its admission policies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CLUSTER_TRUST_BUNDLES, CONFIG_MAPS, SECRETS } from '../../src/api/names.ts';
import { bugs } from '../e2e/process/support/fleet.ts';
import { type ControllerProcess, startController } from '../e2e/support/controller-process.ts';
import { createSecret, patch } from '../e2e/support/edits.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import {
  ALL_KINDS,
  createClusterAuthority,
  createConfigMap,
  inTeam,
  untilAllHold,
  untilGone,
  untilHeld,
} from '../e2e/trust-targets/support.ts';
import { ACCOUNT, accountKubeconfig, requestsOfAccount } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';

const SIGNER = 'example.com/mtls';
const trustTargets = { configMaps: true, secrets: true, clusterTrustBundles: true, signers: [SIGNER] };
const bundle = { name: 'mesh', clusterTrustBundle: { name: 'example.com:mtls:clients', signerName: SIGNER } };
const secretIn = (team: string) => ({
  ...inTeam(team),
  name: 'brokers',
  configMap: undefined,
  secret: { name: 'client-ca' },
});

const shared = oneWorld({ own: true }, async (cluster) => {
  await install(cluster, { trustTargets });
});
test.after(shared.stop);

let controller: ControllerProcess | undefined;
async function started(world: World): Promise<ControllerProcess> {
  const args = ['--controller-namespace', NAMESPACE, ...ALL_KINDS];
  controller ??= await startController(await accountKubeconfig(world.cluster), args);
  return controller;
}

function asAccount({ cluster }: World, args: readonly string[], input = '') {
  return cluster.kubectl([...args, '--as', ACCOUNT], { allowFailure: true, input });
}

test('targets of all kinds are written, repaired, adopted and deleted', async () => {
  const world = await shared.get();
  const running = await started(world);
  const [first, second] = [await world.namespace({ team: 'all' }), await world.namespace({ team: 'all' })];
  await createConfigMap(world, second, { other: 'kept' }, { annotations: { 'certwheel.io/adopt': 'all' } });
  await createSecret(world, second, 'client-ca', { type: 'Opaque', annotations: { 'certwheel.io/adopt': 'all' } });
  await createClusterAuthority(world, 'all', [inTeam('all'), secretIn('all'), bundle]);
  await untilHeld(world, first);
  await untilHeld(world, second);
  await untilAllHold(world, 'all', 2, 'brokers');
  await untilAllHold(world, 'all', 1, 'mesh');
  // One that has lost its label is repaired too.
  await patch(world, SECRETS, first, 'client-ca', { metadata: { labels: { 'certwheel.io/trust-target': null } } });
  await eventually('its label is back', async () => {
    const found = await world.client.get(SECRETS, first, 'client-ca');
    return found?.metadata?.labels?.['certwheel.io/trust-target'] === 'all';
  });
  await world.client.delete(CLUSTER_TRUST_BUNDLES, undefined, bundle.clusterTrustBundle.name);
  await eventually('the bundle is back', () =>
    world.client.get(CLUSTER_TRUST_BUNDLES, undefined, bundle.clusterTrustBundle.name),
  );
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'all', { spec: { trust: null } });
  for (const each of [first, second]) {
    await untilGone(world, each);
    await eventually(
      'the Secret is gone',
      async () => (await world.client.get(SECRETS, each, 'client-ca')) === undefined,
    );
  }
  assert.equal(bugs(running.logs), []);
  const refused = (await requestsOfAccount(world.cluster)).filter(({ code }) => code === 403);
  assert.equal(refused, []);
});

test('a signer that the chart does not list is named with the value that adds it', async () => {
  const world = await shared.get();
  await started(world);
  const other = {
    name: 'other',
    clusterTrustBundle: { name: 'example.com:other:clients', signerName: 'example.com/other' },
  };
  await createClusterAuthority(world, 'signers', [other]);
  const waiting = await eventually('it waits', async () => {
    const found = await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'signers');
    const { trust } = (found?.status ?? {}) as {
      trust?: { targets: { waiting?: { reason: string; message: string }[] }[] };
    };
    const [first] = trust?.targets[0]?.waiting ?? [];
    return first?.reason === 'TrustTargetForbidden' && first;
  });
  assert.match(waiting.message, 'add example.com/other to trustTargets.signers of the chart');
});

test('the account can change no ConfigMap that is not a trust target', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await createConfigMap(world, namespace, { 'ca.crt': 'theirs' });
  await createConfigMap(
    world,
    namespace,
    { a: 'b' },
    { name: 'offered', annotations: { 'certwheel.io/adopt': 'shop' } },
  );
  const object = (name: string, metadata: object) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name, ...metadata },
      data: { 'ca.crt': 'x' },
    });
  const apply = (name: string, metadata: object) =>
    asAccount(
      world,
      ['apply', '--server-side', '--field-manager=certwheel', '--force-conflicts', '-f', '-'],
      object(name, metadata),
    );
  const marks = (name: string, place = namespace, authority = 'shop') => ({
    labels: { 'certwheel.io/trust-target': authority },
    annotations: { 'certwheel.io/trust-mark': `1/${place}/${name}` },
  });
  const NOT_MARKED = /nothing of this kind but trust bundles with its marks/;
  const NOT_OURS = /not Certwheel's, and certwheel.io\/adopt does not hand it over/;
  const refused: readonly [string, object, RegExp][] = [
    ['plain', {}, NOT_MARKED],
    ['copied', marks('copied', 'elsewhere'), NOT_MARKED],
    ['client-ca', marks('client-ca'), NOT_OURS],
    ['offered', marks('offered', namespace, 'another'), NOT_OURS],
  ];
  for (const [name, metadata, says] of refused) {
    const { code, stderr } = await apply(name, metadata);
    assert.is(code, 1, name);
    assert.match(stderr, says, name);
  }
  for (const [name, metadata] of [
    ['made', marks('made')],
    ['offered', marks('offered')],
    ['made', marks('made')],
  ] as const) {
    const { code, stderr } = await apply(name, metadata);
    assert.is(code, 0, `${name}: ${stderr}`);
  }
  const gone = await asAccount(world, ['delete', 'configmap', '-n', namespace, 'client-ca']);
  assert.match(gone.stderr, NOT_MARKED);
  assert.is((await asAccount(world, ['delete', 'configmap', '-n', namespace, 'made'])).code, 0);
  assert.is((await world.client.get(CONFIG_MAPS, namespace, 'client-ca'))?.data?.['ca.crt'], 'theirs');
});

test.run();
