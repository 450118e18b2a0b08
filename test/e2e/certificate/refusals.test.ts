import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { patchAuthority, patchCertificate, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

/** How soon everything must have recovered. */
const SOON_MS = 5_000;

const scene = oneScene({}, async ({ world, namespace }) => {
  const limits = {
    maxDuration: '1h',
    keyAlgorithms: ['ECDSA'],
    usages: ['digital signature', 'client auth'],
  };
  await createAuthority(world, selfManaged(namespace, 'strict', { limits }));
  await createAuthority(world, selfManaged(namespace, 'lenient', { allowSystemIdentities: true }));
});
test.after(scene.stop);

const SYSTEM: Readonly<Record<string, Record<string, unknown>>> = {
  'by-name': { commonName: 'system:admin' },
  'by-group': { subject: { organizations: ['Payments', 'system:masters'] } },
  'in-capitals': { commonName: 'System:Admin' },
  'of-kubeadm': { subject: { organizations: ['Payments', 'kubeadm:cluster-admins'] } },
};

test('identities of Kubernetes itself are denied, and nothing is signed', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const [name, spec] of Object.entries(SYSTEM)) {
    await create(world, clientCertificate(namespace, name, spec));
    const status = await untilReady(world, namespace, name, { status: 'False', reason: 'SystemIdentityDenied' });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', 'the authority must say allowSystemIdentities');
    assert.is(conditionOf(status, 'Stalled')?.reason, 'SystemIdentityDenied');
    assert.is(conditionOf(status, 'Issuing'), undefined);
  }
  await sleep(QUIET_MS);
  for (const name of Object.keys(SYSTEM)) {
    assert.is(signatures(controller, namespace, name), 0);
    assert.is(await readSecret(world, namespace, `${name}-tls`), undefined);
    assert.equal(
      (await eventsOf(world, namespace, name)).map(({ reason, type }) => `${type} ${reason}`),
      ['Warning SystemIdentityDenied'],
    );
  }
});

test('an authority that says allowSystemIdentities issues them', async () => {
  const { world, namespace } = await scene.get();
  const spec = { ...SYSTEM['by-group'], authorityRef: { name: 'lenient' } };
  await create(world, clientCertificate(namespace, 'admitted', spec));
  await untilReady(world, namespace, 'admitted');
  assert.match((await readSecret(world, namespace, 'admitted-tls'))?.leaf.subject ?? '', 'O=system:masters');
});

test('an authority that allows them later issues what it had denied', async () => {
  const { world, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, 'turning'));
  const spec = { ...SYSTEM['by-name'], authorityRef: { name: 'turning' } };
  await create(world, clientCertificate(namespace, 'patient', spec));
  await untilReady(world, namespace, 'patient', { status: 'False', reason: 'SystemIdentityDenied' });
  await patchAuthority(world, namespace, 'turning', { spec: { allowSystemIdentities: true } });
  const status = await untilReady(world, namespace, 'patient', {}, SOON_MS);
  assert.is(conditionOf(status, 'Stalled'), undefined);
});

test('a namespace may restrict the organizations of its own authority, and lift the restriction', async () => {
  const { world, controller, namespace } = await scene.get();
  const allowing = (...organizations: string[]) => ({
    issuancePolicy: { rules: [{ name: 'teams', commonNames: ['*'], subject: { organizations } }] },
  });
  await createAuthority(world, selfManaged(namespace, 'ruled', allowing('Payments')));
  const ruled = { authorityRef: { name: 'ruled' } };
  await create(world, clientCertificate(namespace, 'member', { ...ruled, subject: { organizations: ['Payments'] } }));
  await create(world, clientCertificate(namespace, 'stranger', { ...ruled, subject: { organizations: ['Refunds'] } }));
  await untilReady(world, namespace, 'member');
  const status = await untilReady(world, namespace, 'stranger', { status: 'False', reason: 'DeniedByPolicy' });
  assert.match(
    conditionOf(status, 'Ready')?.message ?? '',
    `rule teams does not allow "Refunds" in subject.organizations, but "Payments"; ask for what one rule allows as a whole, or ask an administrator of namespace ${namespace}`,
  );
  assert.is(signatures(controller, namespace, 'stranger'), 0);
  await patchAuthority(world, namespace, 'ruled', { spec: allowing('Refunds') });
  await untilReady(world, namespace, 'stranger', {}, SOON_MS);
  await untilReady(world, namespace, 'member', { type: 'Stalled', reason: 'DeniedByPolicy' });
  await patchAuthority(world, namespace, 'ruled', { spec: { issuancePolicy: null } });
  await eventually('nothing is denied', async () => {
    const { conditions = [] } = await statusOf(world, namespace, 'member');
    return conditions.every(({ type }) => type !== 'Stalled');
  });
});

const BEYOND: Readonly<Record<string, { spec: object; message: RegExp }>> = {
  'too-long': { spec: { duration: '2h' }, message: /duration 2h exceeds the authority's maxDuration 1h/ },
  'too-exotic': {
    spec: { duration: '1h', privateKey: { algorithm: 'Ed25519' } },
    message: /allows the key algorithms ECDSA, not Ed25519/,
  },
  'too-useful': {
    spec: { duration: '1h', usages: ['digital signature', 'client auth', 'server auth'] },
    message: /allows the usages digital signature, client auth, not server auth/,
  },
};

test("what is beyond an authority's limits is refused, and issued as soon as the spec keeps within them", async () => {
  const { world, controller, namespace } = await scene.get();
  for (const [name, { spec, message }] of Object.entries(BEYOND)) {
    await create(world, clientCertificate(namespace, name, { authorityRef: { name: 'strict' }, ...spec }));
    const status = await untilReady(world, namespace, name, { status: 'False', reason: 'LimitExceeded' });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', message);
    assert.is(signatures(controller, namespace, name), 0);
  }
  const within = { duration: '1h', usages: ['digital signature', 'client auth'], privateKey: { algorithm: 'ECDSA' } };
  for (const name of Object.keys(BEYOND)) {
    await patchCertificate(world, namespace, name, { spec: within });
    await untilReady(world, namespace, name, {}, SOON_MS);
    assert.is(signatures(controller, namespace, name), 1);
  }
});

test('limits that are tightened later leave a valid certificate Ready, and stop its renewal', async () => {
  const { world, controller, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, 'tightening'));
  await create(world, clientCertificate(namespace, 'grown', { authorityRef: { name: 'tightening' } }));
  const before = await untilReady(world, namespace, 'grown');
  await patchAuthority(world, namespace, 'tightening', { spec: { limits: { maxDuration: '1h' } } });
  const stalled = { type: 'Stalled', status: 'True', reason: 'LimitExceeded' };
  const status = await untilReady(world, namespace, 'grown', stalled, SOON_MS);
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  assert.is(status.serialNumber, before.serialNumber);
  assert.is(signatures(controller, namespace, 'grown'), 1);
});

test('an authority that is created later issues within seconds, without a restart', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'early', { authorityRef: { name: 'late' } }));
  const status = await untilReady(world, namespace, 'early', { status: 'False', reason: 'AuthorityNotFound' });
  const message = `there is no CertificateAuthority late in namespace ${namespace}`;
  assert.is(conditionOf(status, 'Ready')?.message, message);
  assert.is(conditionOf(status, 'Issuing')?.reason, 'AuthorityNotFound');
  assert.is(conditionOf(status, 'Stalled'), undefined);
  await createAuthority(world, selfManaged(namespace, 'late'));
  await untilReady(world, namespace, 'early', {}, SOON_MS);
});

test('a certificate whose authority is deleted stays Ready, and one that is pointed at a missing authority does not', async () => {
  const { world, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, 'leaving'));
  for (const name of ['orphan', 'mover'])
    await create(world, clientCertificate(namespace, name, { authorityRef: { name: 'leaving' } }));
  for (const name of ['orphan', 'mover']) await untilReady(world, namespace, name);
  await patchCertificate(world, namespace, 'mover', { spec: { authorityRef: { name: 'nowhere' } } });
  await world.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'leaving');
  const issuing = { type: 'Issuing', status: 'True', reason: 'AuthorityNotFound' };
  const orphan = await untilReady(world, namespace, 'orphan', issuing, SOON_MS);
  assert.is(conditionOf(orphan, 'Ready')?.status, 'True');
  // Ready is about the present spec, and the certificate is from another authority.
  const mover = await untilReady(world, namespace, 'mover', issuing, SOON_MS);
  assert.is(conditionOf(mover, 'Ready')?.status, 'False');
  assert.is(conditionOf(mover, 'Ready')?.reason, 'AuthorityNotFound');
  await patchCertificate(world, namespace, 'mover', { spec: { authorityRef: { name: 'ca' } } });
  await untilRevision(world, namespace, 'mover-tls', 2, SOON_MS);
  await untilReady(world, namespace, 'mover', {}, SOON_MS);
});

test('an authority serves its own namespace only', async () => {
  const { world, controller, namespace } = await scene.get();
  const [near, far] = [await world.namespace(), await world.namespace()];
  await createAuthority(world, selfManaged(near, 'own', { allowSystemIdentities: true }));
  await create(world, clientCertificate(far, 'thief', { authorityRef: { name: 'own' } }));
  await create(world, clientCertificate(near, 'neighbour', { authorityRef: { name: 'own' } }));
  await untilReady(world, near, 'neighbour');
  await untilReady(world, far, 'thief', { status: 'False', reason: 'AuthorityNotFound' });
  await sleep(QUIET_MS);
  assert.is(signatures(controller, far, 'thief'), 0);
  // An authority of the same name in another namespace is another CA.
  await createAuthority(world, selfManaged(far, 'own'));
  await untilReady(world, far, 'thief', {}, SOON_MS);
  const bundles = [await readSecret(world, near, 'neighbour-tls'), await readSecret(world, far, 'thief-tls')];
  assert.is.not(bundles[0]?.bundle, bundles[1]?.bundle);
  assert.ok(namespace !== near && namespace !== far);
});

test('kubectl wait, get and describe show the refusal and the issue', async () => {
  const { world, namespace } = await scene.get();
  const kubectl = async (...args: string[]) => (await world.cluster.kubectl(['-n', namespace, ...args])).stdout;
  await create(world, clientCertificate(namespace, 'told', { authorityRef: { name: 'strict' }, duration: '2h' }));
  const resource = 'clientcertificate/told';
  await kubectl('wait', '--for=condition=Stalled', resource, '--timeout=60s');
  await kubectl('wait', '--for=condition=Ready=False', resource, '--timeout=60s');
  assert.match(await kubectl('get', 'ccert', 'told', '-o', 'wide'), /told +False +told-tls +strict +LimitExceeded/);

  const waiting = kubectl('wait', '--for=condition=Ready', resource, '--timeout=60s');
  await patchCertificate(world, namespace, 'told', { spec: { duration: '1h' } });
  assert.match(await waiting, 'condition met');
  const { notAfter, renewalTime } = await untilReady(world, namespace, 'told');
  const [head, row] = (await kubectl('get', 'ccert', 'told'))
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  assert.equal(head, ['NAME', 'READY', 'SECRET', 'AUTHORITY', 'EXPIRES', 'RENEWAL', 'AGE']);
  assert.equal(row?.slice(0, 6), ['told', 'True', 'told-tls', 'strict', notAfter, renewalTime]);

  await eventually('both events are written', async () => (await eventsOf(world, namespace, 'told')).length >= 2);
  const story = await kubectl('describe', 'ccert', 'told');
  assert.match(
    story,
    /Message: +valid until .*\n +Observed Generation: +2\n +Reason: +Issued\n +Status: +True\n +Type: +Ready/,
  );
  assert.match(story, /Warning +LimitExceeded .*certwheel.* duration 2h exceeds the authority's maxDuration 1h/);
  assert.match(story, /Normal +Issued .* serial [0-9a-f]+, valid until /);
  assert.not.match(story, 'Stalled\n');
});

test.run();
