import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { type ControllerProcess, startController } from '../support/controller-process.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { oneWorld, type World } from '../support/world.ts';
import { grantNamespace, namespaceUser } from './support/access.ts';
import { requestsOf } from './support/audit.ts';
import { bugs, lines } from './support/fleet.ts';
import { metricsOf } from './support/metrics.ts';

const USER = 'narrow';
const shared = oneWorld();
test.after(shared.stop);

let controller: ControllerProcess;
/** Two that are served, one without a Role, and one that isn't asked for. */
let served: readonly [string, string];
let withoutRole: string;
let other: string;

test('a namespace without its Role is logged, and the others are served', async () => {
  const world = await shared.get();
  served = [await world.namespace(), await world.namespace()];
  withoutRole = await world.namespace();
  other = await world.namespace();
  for (const namespace of [...served, withoutRole, other]) {
    await createAuthority(world, selfManaged(namespace));
    await create(world, clientCertificate(namespace, 'alice'));
  }
  const kubeconfig = await namespaceUser(world, USER, served);
  controller = await startController(kubeconfig, ['--namespaces', [...served, withoutRole].join(',')]);
  for (const namespace of served) await untilReady(world, namespace, 'alice');
  const [line] = lines(controller.logs, 'a namespace is not served');
  assert.is(line?.level, 'error');
  assert.is(line?.namespace, withoutRole);
  assert.match(String(line?.problem), /cannot list.*Role in namespace/);
  const restarts = (await metricsOf(controller)).samples.filter(
    ({ name, labels }) => name === 'certwheel_watch_restarts' && labels.reason === 'forbidden',
  );
  assert.ok(restarts.length > 0 && restarts.every(({ labels }) => labels.watch?.startsWith(`${withoutRole}/`)));
});

test('a namespace that nobody asked for is left alone, and nothing is asked about the cluster', async () => {
  const world = await shared.get();
  assert.is(await readSecret(world, other, 'alice-tls'), undefined);
  const asked = await requestsOf(world, USER);
  const beyond = asked.filter(
    ({ objectRef }) => objectRef?.resource !== undefined && objectRef.namespace === undefined,
  );
  assert.equal(
    beyond.map(({ requestURI }) => requestURI),
    [],
  );
  assert.equal(
    asked.filter(({ objectRef }) => objectRef?.namespace === other),
    [],
  );
});

test('a ClusterCertificateAuthority is answered with ClusterAuthorityNotServed', async () => {
  const world = await shared.get();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'everywhere' },
    spec: { selfManaged: { commonName: 'Everywhere' }, allowedNamespaces: { all: true } },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'everywhere' };
  await create(world, clientCertificate(served[0], 'bob', { authorityRef }));
  await untilReady(world, served[0], 'bob', { status: 'False', reason: 'ClusterAuthorityNotServed' });
});

test('a namespace that gets its Role later is served from then on, with the CA that it has', async () => {
  const world = await shared.get();
  const before = await served1CA(world);
  await grantNamespace(world, USER, withoutRole);
  await untilReady(world, withoutRole, 'alice', {}, 60_000);
  assert.is((await authorityStatusOf(world, withoutRole, 'ca')).activeGeneration, 1);
  // And once more from the beginning, now that there is a CA that must not be made anew.
  await controller.stop();
  assert.equal(bugs(controller.logs), []);
  assert.equal(await served1CA(world), before);
});

test('the CA of a namespace whose Role comes after the start is found, not made anew', async () => {
  const world = await shared.get();
  const serial = (await statusOf(world, withoutRole, 'alice')).serialNumber;
  const late = await namespaceUser(world, 'late', [served[0]]);
  const second = await startController(late, ['--namespaces', `${served[0]},${withoutRole}`]);
  await sleep(500);
  await grantNamespace(world, 'late', withoutRole);
  await create(world, clientCertificate(withoutRole, 'carol'));
  await untilReady(world, withoutRole, 'carol', {}, 60_000);
  const authority = await authorityStatusOf(world, withoutRole, 'ca');
  assert.is(authority.generations?.length, 1);
  const alice = await statusOf(world, withoutRole, 'alice');
  assert.is(alice.serialNumber, serial);
  assert.is(conditionOf(alice, 'Ready')?.status, 'True');
  assert.is(lines(second.logs, 'signing').length, 1);
  assert.equal(bugs(second.logs), []);
  await second.stop();
});

async function served1CA(world: World) {
  return (await authorityStatusOf(world, served[0], 'ca')).generations;
}

test.run();
