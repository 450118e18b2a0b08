import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CERTIFICATE_SIGNING_REQUESTS as CSRS,
  NAMESPACES,
} from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { awaitedRequest, untilTidy } from '../backends/support.ts';
import { loginWith, makeAdministrators, putClusterCa } from '../support/cluster-ca.ts';
import { patch, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

// The attack: a user who may create ClientCertificates in a namespace that a ClusterCertificateAuthority serves requests groups
// of the cluster. The CA is the one of the API server's --client-ca-file, so each certificate is a login.

const ADMINS = ['kubeadm:cluster-admins', 'platform-admins'];

const controllers = ['certificatesigningrequest-signing-controller'];
const scene = oneScene({ authority: false, isHome: true, controllers }, async ({ world, namespace: home }) => {
  await putClusterCa(world, home, 'cluster-ca');
  for (const group of ADMINS) await makeAdministrators(world, group);
  return { home };
});
test.after(scene.stop);

const rule = (name: string, namespaces: object, ...organizations: string[]) => ({
  name,
  namespaces,
  commonNames: ['*', 'kubeadm:*', 'KubeAdm:*', 'system:*'],
  subject: { organizations },
});

/** Creates a cluster authority with that CA for all namespaces; returns the reference to it. */
async function authority(world: World, name: string, rules: readonly object[] | undefined, backend?: object) {
  const spec = {
    ...(backend ?? { secret: { name: 'cluster-ca' } }),
    allowedNamespaces: { all: true },
    ...(rules === undefined ? {} : { issuancePolicy: { rules } }),
  };
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
  await untilClusterAuthority(world, name);
  return { authorityRef: { kind: 'ClusterCertificateAuthority', name } };
}

function editRules(world: World, name: string, rules: readonly object[]) {
  return patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name, { spec: { issuancePolicy: { rules } } });
}

const asking = (...organizations: string[]) => ({ subject: { organizations } });

/** Waits until it is denied for that reason; answers the message. Nothing was signed for it. */
async function denied(world: World, namespace: string, name: string, reason = 'DeniedByPolicy'): Promise<string> {
  const { controller } = await scene.get();
  const status = await untilReady(world, namespace, name, { status: 'False', reason });
  assert.is(conditionOf(status, 'Stalled')?.reason, reason);
  await sleep(QUIET_MS);
  assert.is(signatures(controller, namespace, name), 0);
  assert.is(await readSecret(world, namespace, `${name}-tls`), undefined);
  return conditionOf(status, 'Ready')?.message ?? '';
}

test('an organization that a rule allows is issued, and the API server takes it for a group', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const by = await authority(world, `${namespace}-good`, [
    rule('elsewhere', { names: ['elsewhere'] }, 'platform-admins'),
    rule('teams', { names: [namespace] }, 'payments', 'readers', 'writers'),
  ]);
  await create(world, clientCertificate(namespace, 'client', { ...by, ...asking('writers', 'payments') }));
  await untilReady(world, namespace, 'client');
  const { user, groups, isAdministrator } = await loginWith(world, namespace, 'client-tls');
  assert.equal([user, groups.sort()], ['client', ['payments', 'system:authenticated', 'writers']]);
  assert.not(isAdministrator);
});

test('a certificate without organizations needs no rule', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const by = await authority(world, `${namespace}-none`, undefined);
  await create(world, clientCertificate(namespace, 'client', by));
  await untilReady(world, namespace, 'client');
});

test('kubeadm:cluster-admins and names that resemble it are denied, although a rule lists them', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const names = ['kubeadm:cluster-admins', 'KubeAdm:Cluster-Admins', 'kubeadm:x', 'system:masters'];
  const by = await authority(world, `${namespace}-listed`, [rule('all', { all: true }, 'team', ...names)]);
  for (const [at, name] of names.entries()) {
    await create(world, clientCertificate(namespace, `group-${at}`, { ...by, ...asking('team', name) }));
    await create(world, clientCertificate(namespace, `user-${at}`, { ...by, commonName: name }));
  }
  for (const at of names.keys())
    for (const who of ['group', 'user'])
      assert.match(await denied(world, namespace, `${who}-${at}`, 'SystemIdentityDenied'), names[at] ?? '');
});

test('a group without a rule is denied, alone and beside one that has a rule', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const name = `${namespace}-strict`;
  const by = await authority(world, name, [
    rule('teams', { names: [namespace] }, 'payments'),
    rule('readers', { all: true }, 'readers'),
  ]);
  const wishes = {
    alone: ['platform-admins'],
    hidden: ['payments', 'platform-admins'],
    'two-rules': ['payments', 'readers'],
    capitals: ['Payments'],
  };
  for (const [client, organizations] of Object.entries(wishes))
    await create(world, clientCertificate(namespace, client, { ...by, ...asking(...organizations) }));
  for (const client of Object.keys(wishes)) {
    const message = await denied(world, namespace, client);
    assert.match(
      message,
      `no rule of ClusterCertificateAuthority ${name} allows namespace ${namespace} this certificate`,
    );
    assert.match(message, 'ask a cluster administrator');
  }
  assert.match(
    await denied(world, namespace, 'hidden'),
    'rule teams does not allow "platform-admins" in subject.organizations, but "payments"; rule readers does not allow "payments" in',
  );
});

test('without a policy no group is allowed, and a rule for another namespace allows none in this one', async () => {
  const { world } = await scene.get();
  const [here, there] = [await world.namespace(), await world.namespace()];
  const without = await authority(world, `${here}-without`, undefined);
  const foreign = await authority(world, `${here}-foreign`, [rule('there', { names: [there] }, 'platform-admins')]);
  await create(world, clientCertificate(here, 'without', { ...without, ...asking('platform-admins') }));
  await create(world, clientCertificate(here, 'foreign', { ...foreign, ...asking('platform-admins') }));
  assert.match(await denied(world, here, 'without'), 'has no rules, and issues no organizations without one');
  assert.match(await denied(world, here, 'foreign'), 'it has none for this namespace');
});

test('a rule that is added later issues what was denied, and a removed rule ends the renewals', async () => {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace();
  const name = `${namespace}-edited`;
  const by = await authority(world, name, []);
  await create(world, clientCertificate(namespace, 'client', { ...by, ...asking('payments') }));
  await denied(world, namespace, 'client');
  await editRules(world, name, [rule('teams', { names: [namespace] }, 'payments')]);
  const { serialNumber } = await untilReady(world, namespace, 'client');
  await editRules(world, name, [rule('teams', { names: [namespace] }, 'refunds')]);
  const status = await untilReady(world, namespace, 'client', { type: 'Stalled', reason: 'DeniedByPolicy' });
  await renewAt(world, namespace, 'client');
  await sleep(QUIET_MS);
  assert.equal([conditionOf(status, 'Ready')?.status, status.serialNumber], ['True', serialNumber]);
  assert.is(signatures(controller, namespace, 'client'), 1);
});

test('a namespace that loses the label of a rule gets no certificate that is approved afterwards', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace({ 'example.com/admins': 'yes' });
  const selector = { matchLabels: { 'example.com/admins': 'yes' } };
  const kubernetesCSR = {
    signerName: 'kubernetes.io/kube-apiserver-client',
    trustBundle: { secret: { name: 'cluster-ca', key: 'tls.crt' } },
  };
  const rules = [rule('labelled', { selector }, 'platform-admins')];
  const by = await authority(world, `${namespace}-labelled`, rules, { kubernetesCSR });
  await create(world, clientCertificate(namespace, 'client', { ...by, ...asking('platform-admins') }));
  const request = await awaitedRequest(world, CSRS, namespace, 'client');
  await patch(world, NAMESPACES, undefined, namespace, { metadata: { labels: { 'example.com/admins': null } } });
  await world.cluster.kubectl(['certificate', 'approve', request], { allowFailure: true });
  await denied(world, namespace, 'client');
  await untilTidy(world, CSRS, namespace);
  // The control: once the label is back, a new request is made, approved and issued.
  await patch(world, NAMESPACES, undefined, namespace, { metadata: { labels: { 'example.com/admins': 'yes' } } });
  const another = await awaitedRequest(world, CSRS, namespace, 'client');
  await world.cluster.kubectl(['certificate', 'approve', another]);
  await untilReady(world, namespace, 'client');
  assert.ok((await loginWith(world, namespace, 'client-tls')).isAdministrator);
});

test.run();
