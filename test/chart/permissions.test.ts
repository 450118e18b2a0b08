import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_AUTHORITIES,
  CERTIFICATE_SIGNING_REQUESTS,
  CLIENT_CERTIFICATES,
  CONFIG_MAPS,
  SECRETS,
} from '../../src/api/names.ts';
import {
  AUTHORITY_PERMISSIONS,
  CLUSTER_AUTHORITY_PERMISSIONS,
  CLUSTER_PERMISSIONS,
  LEASE_PERMISSIONS,
  NAMESPACED_PERMISSIONS,
} from '../../src/api/permissions.ts';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';
import { startSwap } from '../e2e/authority/swap.ts';
import { handIn, signByHand } from '../e2e/backends/csr-clerk.ts';
import { untilAuthority } from '../e2e/backends/place.ts';
import { holder } from '../e2e/process/support/access.ts';
import { bugs } from '../e2e/process/support/fleet.ts';
import { clientKey } from '../e2e/support/client-keys.ts';
import { startController } from '../e2e/support/controller-process.ts';
import { patchCertificate } from '../e2e/support/edits.ts';
import { clientCertificate, create, untilReady } from '../e2e/support/objects.ts';
import { makeCa } from '../e2e/support/openssl.ts';
import { eventsOf } from '../e2e/support/recorded.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { accountKubeconfig, provesGolden, requestsOfAccount } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';
import { clusterAuthority, issueAndRenew } from './support/issued.ts';

const CSRS = 'certificatesigningrequests.certificates.k8s.io';

const shared = oneWorld({}, async (cluster) => void (await install(cluster)));
test.after(shared.stop);

test('the account may do what is written down, and nothing else', async () => {
  const { cluster } = await shared.get();
  await provesGolden(cluster, 'cluster.txt', 'default');
  await provesGolden(cluster, 'cluster-own-namespace.txt', NAMESPACE);
});

test('with nothing but the roles of the chart, and under its policy, everything works', async () => {
  const world = await shared.get();
  const args = ['--leader-elect', '--controller-namespace', NAMESPACE, '--trust-propagation', '1s', '--routine-events'];
  const controller = await startController(await accountKubeconfig(world.cluster), args);

  const namespace = await world.namespace();
  await issueAndRenew(world, namespace);
  await eventually('its first issue is told', async () => (await eventsOf(world, namespace, 'alice')).length > 0);
  assert.ok(await holder(world, NAMESPACE));

  await untilAdopted(world, namespace);

  await clusterAuthority(world, 'everywhere');
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'everywhere' };
  await create(world, clientCertificate(namespace, 'carol', { authorityRef }));
  await untilReady(world, namespace, 'carol');

  await untilPendingAndGone(world, namespace);
  await untilHandedIn(world, namespace);
  const { csr } = await clientKey();
  await create(world, clientCertificate(namespace, 'grace', { commonName: 'client', csr: { inline: csr } }));
  await untilReady(world, namespace, 'grace');

  const swap = await startSwap(world, { clients: ['dave'] });
  await swap.put(swap.cas.v2);
  await swap.untilOnly(swap.cas.v2);
  assert.equal(swap.traffic.failures(), []);

  assert.is(await controller.stop(), 0);
  assert.equal(bugs(controller.logs), []);
  const requests = await requestsOfAccount(world.cluster);
  assert.equal(
    requests.filter(({ code }) => code === 403),
    [],
  );
});

/** A Secret that was handed over, and that another program owns and holds; its owner changes with the deletionPolicy. */
async function untilAdopted(world: World, namespace: string): Promise<void> {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'other', controller: true };
  await world.client.create(SECRETS, {
    metadata: {
      namespace,
      name: 'bob-tls',
      annotations: { 'certwheel.io/adopt': 'bob' },
      ownerReferences: [other],
      finalizers: ['example.com/hold'],
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
  });
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob');
  for (const [deletionPolicy, owners] of [
    ['Retain', ['ConfigMap']],
    ['Delete', ['ClientCertificate', 'ConfigMap']],
  ] as const) {
    await patchCertificate(world, namespace, 'bob', { spec: { deletionPolicy } });
    await eventually(`the owners are those of ${deletionPolicy}`, async () => {
      const { ownerReferences = [] } = (await world.client.get(SECRETS, namespace, 'bob-tls'))?.metadata ?? {};
      const kinds = (ownerReferences as readonly { kind?: string }[]).map(({ kind }) => kind).sort();
      return kinds.join() === owners.join();
    });
  }
}

/** An authority that answers later, and that nobody answers: its request is made, looked after, and taken back. */
async function untilPendingAndGone(world: World, namespace: string): Promise<void> {
  const { certificate } = await makeCa('signer');
  await world.client.create(CONFIG_MAPS, {
    metadata: { namespace, name: 'signer-ca' },
    data: { 'ca.crt': certificate },
  });
  const kubernetesCSR = { signerName: 'example.com/clients', trustBundle: { configMap: { name: 'signer-ca' } } };
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'later' },
    spec: { kubernetesCSR },
  });
  await create(world, clientCertificate(namespace, 'erin', { authorityRef: { name: 'later' } }));
  await untilReady(world, namespace, 'erin', { type: 'Issuing', reason: 'Pending' });
  const polled = async () =>
    (await requestsOfAccount(world.cluster)).some(({ verb, resource }) => `${verb} ${resource}` === `get ${CSRS}`);
  await eventually('the answer is asked for', polled);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'erin');
  await eventually('nothing is left of it', async () => {
    const kept = await world.client.get(SECRETS, namespace, 'erin-next');
    return kept === undefined && (await world.client.list(CERTIFICATE_SIGNING_REQUESTS)).items.length === 0;
  });
}

/** A CSR for a person, which is answered, and the next one, which is taken back. */
async function untilHandedIn(world: World, namespace: string): Promise<void> {
  const ca = await makeCa('Offline CA');
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'offline' },
    spec: { external: { trustBundle: { inline: ca.certificate } } },
  });
  await create(world, clientCertificate(namespace, 'frank', { authorityRef: { name: 'offline' } }));
  const waiting = () => world.client.get(CONFIG_MAPS, namespace, 'frank-csr');
  const object = await eventually('there is a CSR', waiting);
  await handIn(world, object, { 'tls.crt': await signByHand(ca, object.data?.['request.csr'] ?? '', 1) });
  await untilReady(world, namespace, 'frank');
  await eventually('nothing is left of it', async () => (await waiting()) === undefined);
  const externalRoot = { trustBundle: { inline: ca.certificate } };
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'rooted' },
    spec: { selfManaged: { commonName: 'Rooted', externalRoot } },
  });
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'CAUnsigned' }, { name: 'rooted' });
  assert.ok(await world.client.get(CONFIG_MAPS, namespace, 'rooted-ca-request'));
}

test('every permission of the roles is needed', async () => {
  const { cluster } = await shared.get();
  // What needs cert-manager is used where it is: in test/e2e/backends.
  const ofAuthorities = (BACKENDS as readonly BackendDefinition<never>[])
    .filter(({ type }) => type !== 'certManager')
    .flatMap(({ permissions, clusterPermissions = [] }) => [...permissions, ...clusterPermissions]);
  const permissions = [
    ...NAMESPACED_PERMISSIONS,
    ...AUTHORITY_PERMISSIONS,
    ...CLUSTER_AUTHORITY_PERMISSIONS,
    ...CLUSTER_PERMISSIONS,
    ...LEASE_PERMISSIONS,
    ...ofAuthorities,
  ];
  const granted = [...new Set(permissions)].flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => {
      const [plural, ...sub] = resource.split('/');
      const name = [`${plural}${apiGroups[0] === '' ? '' : `.${apiGroups[0]}`}`, ...sub].join('/');
      return verbs.map((verb) => `${verb} ${name}`);
    }),
  );
  // A server-side apply that creates needs both verbs, and is a patch in the audit log.
  const unused = ['create events.events.k8s.io', 'create secrets', 'create leases.coordination.k8s.io'];
  let used: ReadonlySet<string> = new Set();
  // The audit log tells of a request a moment after its answer.
  await eventually('all else was used', async () => {
    used = new Set((await requestsOfAccount(cluster)).map(({ verb, resource }) => `${verb} ${resource}`));
    return granted.every((each) => used.has(each) || unused.includes(each));
  }).catch(() => {});
  assert.equal(
    granted.filter((each) => !used.has(each)),
    unused,
  );
  // Whoever is authenticated may ask what he may do.
  assert.equal(
    [...used].filter((each) => !granted.includes(each)),
    ['create selfsubjectaccessreviews.authorization.k8s.io'],
  );
});

test.run();
