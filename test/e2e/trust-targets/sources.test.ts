import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { certificatesOf } from '../authority/history.ts';
import { patch } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import {
  ALL_KINDS,
  clusterStatus,
  createClusterAuthority,
  createConfigMap,
  edit,
  inTeam,
  pemOf,
  readConfigMap,
  untilHeld,
} from './support.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ALL_KINDS });
test.after(scene.stop);

const fromConfigMap = (name: string) => ({ name: 'partner', configMap: { name } });

function createWithSources(world: World, name: string, sources: readonly object[]) {
  return createClusterAuthority(world, name, [], { trust: { sources, targets: [inTeam(name)] } });
}

async function sourceStatus(world: World, authority: string) {
  return (await clusterStatus(world, authority)).trust?.sources?.[0];
}

test('the CA of a partner is in the targets and in no ca.crt, and follows its ConfigMap', async () => {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team: 'partner' });
  const [first, second] = [await makeCa('partner 1'), await makeCa('partner 2')];
  await createConfigMap(world, home, { 'ca.crt': first.certificate }, { name: 'partner-ca' });
  await createWithSources(world, 'partner', [fromConfigMap('partner-ca'), { name: 'same', inline: first.certificate }]);
  const stored = await untilHeld(world, namespace, 2);
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'partner' };
  await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, namespace, 'client');
  const bundle = (await readSecret(world, namespace, 'client-tls'))?.bundle ?? '';
  assert.is(certificatesOf(bundle).length, 1);
  assert.ok(pemOf(stored).includes(bundle));
  await edit(world, CONFIG_MAPS, home, 'partner-ca', { data: { 'ca.crt': second.certificate } });
  await untilHeld(world, namespace, 3);
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'partner', { spec: { trust: { sources: null } } });
  const alone = await untilHeld(world, namespace);
  assert.is(pemOf(alone), bundle);
});

test('a source that is gone or broken stays in force, is named, and after a restart nothing is written', async () => {
  const { world, controller, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team: 'broken' });
  const partner = await makeCa('partner');
  await createConfigMap(world, home, { 'ca.crt': partner.certificate }, { name: 'broken-ca' });
  await createWithSources(world, 'broken', [fromConfigMap('broken-ca')]);
  const stored = await untilHeld(world, namespace, 2);
  await edit(world, CONFIG_MAPS, home, 'broken-ca', { data: { 'ca.crt': 'no PEM' } });
  await eventually('it is refused', async () => (await sourceStatus(world, 'broken'))?.reason === 'TrustBundleRefused');
  await world.client.delete(CONFIG_MAPS, home, 'broken-ca');
  await eventually('it is missed', async () => (await sourceStatus(world, 'broken'))?.reason === 'TrustBundleNotFound');
  await edit(world, CONFIG_MAPS, namespace, 'client-ca', { data: { 'ca.crt': 'lost' } });
  assert.is(pemOf(await untilHeld(world, namespace, 2)), pemOf(stored), 'its last certificates count');
  await controller.stop();
  const before = await readConfigMap(world, namespace);
  const again = await world.controller([...ALL_KINDS, '--controller-namespace', home]);
  await eventually('the target waits', async () => {
    const { trust } = await clusterStatus(world, 'broken');
    return trust?.targets?.[0]?.waiting?.[0]?.reason === 'TrustBundleNotFound';
  });
  await sleep(QUIET_MS);
  assert.equal(await readConfigMap(world, namespace), before);
  await createConfigMap(world, home, { 'ca.crt': partner.certificate }, { name: 'broken-ca' });
  await eventually('it is read again', async () => {
    const { trust } = await clusterStatus(world, 'broken');
    return trust?.targets?.[0]?.holding === 1 && trust.sources?.[0]?.reason === undefined;
  });
  assert.equal(await readConfigMap(world, namespace), before);
  const metrics = await again.metrics();
  assert.match(
    metrics,
    /certwheel_trust_source_not_after_timestamp_seconds\{authority="ClusterCertificateAuthority\/broken",source="partner"\} \d/,
  );
  await again.stop();
});

test('names that a partner is not held to, and names that two may sign, are in status and in events', async () => {
  const { world, namespace: home } = await scene.get();
  const controller = await world.controller([...ALL_KINDS, '--controller-namespace', home]);
  const namespace = await world.namespace({ team: 'held' });
  const CA = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign',
    'subjectKeyIdentifier=hash',
  ];
  const loose = await makeCa('loose partner', { extensions: CA });
  const held = await makeCa('held partner', {
    extensions: [
      ...CA,
      'nameConstraints=critical,permitted;DNS:partner.example,permitted;URI:partner.example,permitted;email:invalid',
    ],
  });
  const permittedNames = { dnsDomains: ['partner.example'], uriDomains: ['partner.example'] };
  await createWithSources(world, 'held', [
    { name: 'partner', inline: loose.certificate + held.certificate, permittedNames },
  ]);
  const stored = await untilHeld(world, namespace, 3);
  const problems = () => sourceStatus(world, 'held').then((source) => source?.nameProblems ?? []);
  await eventually('the CA without name constraints is named', async () => (await problems()).length === 1);
  assert.match((await problems())[0] ?? '', /^CN=loose partner.* has no name constraints, /);
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'held' };
  for (const [name, dnsNames] of [
    ['twice', ['api.partner.example']],
    ['once', ['api.example']],
  ] as const) {
    await create(world, clientCertificate(namespace, name, { authorityRef, dnsNames }));
    await untilReady(world, namespace, name);
  }
  await eventually('the certificate is named', async () => (await problems()).length === 2);
  const [, overlap = ''] = await problems();
  assert.match(overlap, `ClientCertificate ${namespace}/twice has the name api.partner.example (dnsNames)`);
  await eventually('events say both', async () => {
    const notes = (await eventsOf(world, '', 'held')).filter(({ reason }) => reason === 'TrustSourceNotHeld');
    return notes.length >= 2;
  });
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'twice');
  await eventually('it is gone', async () => (await problems()).length === 1);
  assert.equal(await readConfigMap(world, namespace), stored, 'what is trusted does not depend on it');
  await controller.stop();
});

test.run();
