import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_AUTHORITIES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CLUSTER_TRUST_BUNDLES,
  CONFIG_MAPS,
  SECRETS,
} from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { patch } from '../support/edits.ts';
import { authorityStatusOf, createAuthority, selfManaged } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import {
  ALL_KINDS,
  createClusterAuthority,
  edit,
  inTeam,
  pemOf,
  untilAllHold,
  untilGone,
  untilHeld,
  untilStatus,
} from './support.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ALL_KINDS });
test.after(scene.stop);

const SIGNER = 'example.com/mtls';
const NAME = 'example.com:mtls:clients';

test('a ClusterTrustBundle holds the bundle, with and without a signer, and is repaired', async () => {
  const { world } = await scene.get();
  const mesh = { name: 'mesh', clusterTrustBundle: { name: NAME, signerName: SIGNER } };
  await createClusterAuthority(world, 'mesh', [mesh, { name: 'plain', clusterTrustBundle: { name: 'plain' } }]);
  await untilAllHold(world, 'mesh', 1, 'mesh');
  await untilAllHold(world, 'mesh', 1, 'plain');
  const specOf = async (name: string) =>
    (await world.client.get(CLUSTER_TRUST_BUNDLES, undefined, name))?.spec as {
      signerName?: string;
      trustBundle: string;
    };
  const { signerName, trustBundle } = await specOf(NAME);
  assert.is(signerName, SIGNER);
  assert.match(trustBundle, /^-----BEGIN CERTIFICATE-----/);
  assert.is((await specOf('plain')).trustBundle, trustBundle);
  const rogue = await makeCa('rogue');
  await patch(world, CLUSTER_TRUST_BUNDLES, '', NAME, { spec: { trustBundle: rogue.certificate } });
  await eventually('it is repaired', async () => (await specOf(NAME)).trustBundle === trustBundle);
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'mesh', { spec: { trust: { targets: [mesh] } } });
  await eventually(
    'plain is gone',
    async () => (await world.client.get(CLUSTER_TRUST_BUNDLES, undefined, 'plain')) === undefined,
  );
  assert.is((await specOf(NAME)).trustBundle, trustBundle);
});

test('an authority of one namespace writes a ConfigMap and a Secret there', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const targets = [
    { name: 'gateways', configMap: { name: 'client-ca' } },
    { name: 'brokers', secret: { name: 'client-ca' } },
  ];
  await createAuthority(world, selfManaged(namespace, 'ca', { trust: { targets } }));
  const stored = await untilHeld(world, namespace);
  const secret = await eventually<RawObject>('the Secret', () => world.client.get(SECRETS, namespace, 'client-ca'));
  assert.is(secret.type, 'Opaque');
  assert.is(Buffer.from(pemOf(secret), 'base64').toString(), pemOf(stored));
  const { trust } = await eventually('status', async () => {
    const status = await authorityStatusOf(world, namespace, 'ca');
    return status.trust?.targets?.every(({ holding }) => holding === 1) && status;
  });
  assert.equal(
    trust?.targets?.map(({ name, kind }) => `${name} ${kind}`),
    ['gateways ConfigMap', 'brokers Secret'],
  );
});

test('trust stores come with the bundle, and go with the format', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const additionalFormats = [{ type: 'JKS' }, { type: 'PKCS12' }];
  const targets = [
    { name: 'java', configMap: { name: 'client-ca' }, additionalFormats },
    { name: 'secret', secret: { name: 'client-ca' }, additionalFormats },
  ];
  const { metadata } = await createAuthority(world, selfManaged(namespace, 'ca', { trust: { targets } }));
  const { binaryData = {} } = await untilHeld(world, namespace);
  assert.equal(Object.keys(binaryData).sort(), ['truststore.jks', 'truststore.p12']);
  const secret = await eventually<RawObject>('the Secret', () => world.client.get(SECRETS, namespace, 'client-ca'));
  for (const [name, content] of Object.entries(binaryData)) assert.is(secret.data?.[name], content);
  await edit(world, CONFIG_MAPS, namespace, 'client-ca', { binaryData: { 'truststore.jks': 'AAAA' } });
  await eventually('it is repaired', async () => {
    const found = await world.client.get(CONFIG_MAPS, namespace, 'client-ca');
    return found?.binaryData?.['truststore.jks'] === binaryData['truststore.jks'];
  });
  const spec = { trust: { targets: [{ name: 'java', configMap: { name: 'client-ca' } }] } };
  await patch(world, CERTIFICATE_AUTHORITIES, namespace, metadata?.name ?? '', { spec });
  await eventually('they are gone', async () => {
    return (await world.client.get(CONFIG_MAPS, namespace, 'client-ca'))?.binaryData === undefined;
  });
});

test('a Secret with a name that Certwheel needs, or with a CA in it, is never a target', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const ca = await makeCa('dear');
  await world.client.create(SECRETS, {
    metadata: { namespace, name: 'dear', annotations: { 'certwheel.io/adopt': 'ca' } },
    type: 'Opaque',
    data: { 'tls.crt': Buffer.from(ca.certificate).toString('base64') },
  });
  const targets = ['ca-ca-v2', 'dear'].map((name) => ({ name, secret: { name } }));
  await createAuthority(world, selfManaged(namespace, 'ca', { trust: { targets } }));
  const { trust } = await eventually('both wait', async () => {
    const status = await authorityStatusOf(world, namespace, 'ca');
    return status.trust?.targets?.every(({ waiting }) => waiting?.[0]?.reason !== 'TrustTargetPending') && status;
  });
  const [reserved, dear] = trust?.targets ?? [];
  assert.match(reserved?.waiting?.[0]?.message ?? '', 'reserved for what Certwheel keeps of authorities');
  assert.match(dear?.waiting?.[0]?.message ?? '', 'holds a CA certificate');
});

test('a namespace in the list that does not exist is named, and is served when it is made', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const late = `late-${process.pid}`;
  const names = [namespace, late];
  await createClusterAuthority(world, 'listed', [{ ...inTeam(''), namespaces: { names } }]);
  await untilHeld(world, namespace);
  const { waiting } = await untilStatus(world, 'listed', ({ holding }) => holding === 1);
  assert.equal(waiting, [
    { object: `${late}/client-ca`, reason: 'TrustTargetNoNamespace', message: `namespace ${late} does not exist` },
  ]);
  await world.cluster.kubectl(['create', 'namespace', late]);
  await untilHeld(world, late);
  await untilAllHold(world, 'listed', 2);
});

test('a namespace that is being deleted is named, and the others go on', async () => {
  const { world } = await scene.get();
  const [going, staying] = [await world.namespace({ team: 'going' }), await world.namespace({ team: 'going' })];
  // No controller empties it here, so it stays as it is.
  await world.cluster.kubectl(['delete', 'namespace', going, '--wait=false']);
  await createClusterAuthority(world, 'going', [inTeam('going')]);
  await untilHeld(world, staying);
  const { waiting } = await untilStatus(
    world,
    'going',
    ({ waiting: [first] = [] }) => first?.reason === 'TrustTargetNoNamespace',
  );
  assert.match(waiting?.[0]?.message ?? '', 'is being deleted');
});

test('a copy that another program made keeps its content, whatever it has copied', async () => {
  const { world } = await scene.get();
  const [source, elsewhere] = [await world.namespace({ team: 'copied' }), await world.namespace()];
  await createClusterAuthority(world, 'copied', [inTeam('copied')]);
  const { labels, annotations } = (await untilHeld(world, source)).metadata ?? {};
  const metadata = { namespace: elsewhere, name: 'client-ca', labels, annotations };
  await world.client.create(CONFIG_MAPS, { metadata, data: { 'ca.crt': 'a copy' } } as never);
  await edit(world, CONFIG_MAPS, source, 'client-ca', { data: { 'ca.crt': 'x' } });
  await untilHeld(world, source);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.is(pemOf(await world.client.get(CONFIG_MAPS, elsewhere, 'client-ca')), 'a copy');
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'copied');
});

test('an authority that was made anew takes no object of the former one, unless it is handed over', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ team: 'anew' });
  await createClusterAuthority(world, 'anew', [inTeam('anew')]);
  await untilHeld(world, namespace);
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'anew');
  await createClusterAuthority(world, 'anew', [inTeam('anew')]);
  await untilStatus(world, 'anew', ({ waiting: [first] = [] }) => first?.reason === 'TrustTargetNotOwned');
  const annotate = ['annotate', 'configmap', '-A', '-l', 'certwheel.io/trust-target=anew', 'certwheel.io/adopt=anew'];
  await world.cluster.kubectl(annotate);
  await untilAllHold(world, 'anew', 1);
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'anew', { spec: { trust: null } });
  await untilGone(world, namespace);
});

test('without the flag a target says which value of the chart allows it', async () => {
  const { world, controller, namespace: home } = await scene.get();
  await controller.stop();
  const namespace = await world.namespace({ team: 'off' });
  await world.controller(['--controller-namespace', home]);
  await createClusterAuthority(world, 'off', [inTeam('off')]);
  const { waiting } = await untilStatus(
    world,
    'off',
    ({ waiting: [first] = [] }) => first?.reason === 'TrustTargetForbidden',
  );
  assert.match(waiting?.[0]?.message ?? '', 'set trustTargets.configMaps: true in the values of the chart');
  assert.is(await world.client.get(CONFIG_MAPS, namespace, 'client-ca'), undefined);
});

test.run();
