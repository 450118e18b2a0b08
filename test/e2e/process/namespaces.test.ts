import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { type ControllerProcess, startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
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
import { oneWorld } from '../support/world.ts';
import { grantNamespace, namespaceUser } from './support/access.ts';
import { requestsOf } from './support/audit.ts';
import { bugs, lines, numbered } from './support/fleet.ts';
import { metricsOf } from './support/metrics.ts';

const USER = 'narrow';
const unserved = ({ logs }: ControllerProcess) => lines(logs, 'a namespace is not served');

const shared = oneWorld();
test.after(shared.stop);

let controller: ControllerProcess;
/** Six that are served, the first of them, one without a Role, and one that isn't in --namespaces. */
let served: readonly string[];
let first: string;
let withoutRole: string;
let other: string;

test('a namespace without its Role is logged, and the others are served', async () => {
  const world = await shared.get();
  served = await Promise.all(numbered(6).map(() => world.namespace()));
  first = String(served[0]);
  withoutRole = await world.namespace();
  other = await world.namespace();
  for (const namespace of [...served, withoutRole, other]) {
    await createAuthority(world, selfManaged(namespace));
    await create(world, clientCertificate(namespace, 'alice'));
  }
  const kubeconfig = await namespaceUser(world, USER, served);
  controller = await startController(kubeconfig, ['--namespaces', [...served, withoutRole].join(',')]);
  for (const namespace of served) await untilReady(world, namespace, 'alice');
  const [line] = unserved(controller);
  assert.is(line?.level, 'error');
  assert.is(line?.namespace, withoutRole);
  assert.match(String(line?.problem), /cannot list.*Role in namespace/);
  const restarts = (await metricsOf(controller)).samples.filter(
    ({ name, labels }) => name === 'certwheel_watch_restarts' && labels.reason === 'forbidden',
  );
  assert.ok(restarts.length > 0 && restarts.every(({ labels }) => labels.watch?.startsWith(`${withoutRole}/`)));
});

test('a namespace that is not served is left alone, and no request is cluster-wide', async () => {
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

test('a ClusterCertificateAuthority is refused with ClusterAuthorityNotServed', async () => {
  const world = await shared.get();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'everywhere' },
    spec: { selfManaged: { commonName: 'Everywhere' }, allowedNamespaces: { all: true } },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'everywhere' };
  await create(world, clientCertificate(first, 'bob', { authorityRef }));
  await untilReady(world, first, 'bob', { status: 'False', reason: 'ClusterAuthorityNotServed' });
});

test('a namespace that gets its Role later is served from then on', async () => {
  const world = await shared.get();
  await grantNamespace(world, USER, withoutRole);
  await untilReady(world, withoutRole, 'alice', {}, 60_000);
  assert.is((await authorityStatusOf(world, withoutRole, 'ca')).activeGeneration, 1);
  assert.equal(bugs(controller.logs), []);
  await controller.stop();
});

test('the CA of a namespace whose Role comes after the start is found, not created again', async () => {
  const world = await shared.get();
  const rest = served.slice(1);
  const serials = async () =>
    Promise.all(rest.map(async (name) => (await statusOf(world, name, 'alice')).serialNumber));
  const before = await serials();
  const second = await startController(await namespaceUser(world, 'late', [first]), ['--namespaces', served.join(',')]);
  await eventually('it serves one of them alone', () => unserved(second).length === rest.length);
  // Several namespaces, since the order in which the watches of one are admitted is random.
  await Promise.all(rest.map((namespace) => grantNamespace(world, 'late', namespace)));
  for (const namespace of rest) await create(world, clientCertificate(namespace, 'carol'));
  for (const namespace of rest) {
    await untilReady(world, namespace, 'carol', {}, 60_000);
    assert.is((await authorityStatusOf(world, namespace, 'ca')).generations?.length, 1);
    assert.is(conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.status, 'True');
  }
  assert.equal(await serials(), before);
  assert.is(lines(second.logs, 'signing').length, rest.length);
  assert.equal(bugs(second.logs), []);
  await second.stop();
});

test.run();
