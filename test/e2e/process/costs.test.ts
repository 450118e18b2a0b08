import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS, SERIALS_ANNOTATION } from '../../../src/api/names.ts';
import { secretAuthority } from '../support/ca-secret.ts';
import { startController } from '../support/controller-process.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { clusterUser } from './support/access.ts';
import { isWrite, requestsOf, shortly } from './support/audit.ts';
import { createAll, deleteAll, lines, numbered, QUICK, snapshot, untilAllReady, untilQuiet } from './support/fleet.ts';

// The requests of Certwheel, by the audit log of the API server and under the permissions of the chart.

/** For this long a controller that starts again writes nothing. */
const RESTARTED_MS = 4_000;

const shared = oneWorld();
test.after(shared.stop);

test('a first issue costs two writes: the Secret and the status', async () => {
  const world = await shared.get();
  const controller = await startController(await clusterUser(world, 'first'));
  const namespace = await world.namespace();
  await secretAuthority(world, namespace);
  await create(world, clientCertificate(namespace, 'earlier'));
  await untilReady(world, namespace, 'earlier');
  await untilQuiet(world, namespace);
  const since = new Date();
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  // No further request follows.
  await sleep(QUIET_MS);
  const requests = await requestsOf(world, 'first', since);
  assert.equal(requests.filter(isWrite).map(shortly).sort(), ['patch clientcertificates/status', 'patch secrets']);
  // One read past the cache: a certificate that can't be stored must not be issued.
  assert.equal(requests.filter((each) => !isWrite(each)).map(shortly), ['get secrets']);
  assert.is(await controller.stop(), 0);
});

test('a rotation costs two writes and no read, with the seal of its ledger', async () => {
  const world = await shared.get();
  const controller = await startController(await clusterUser(world, 'rotating'));
  const namespace = await world.namespace();
  await secretAuthority(world, namespace);
  const names = numbered(5);
  await createAll(world, namespace, names, QUICK);
  const issued = () => lines(controller.logs, 'certificate issued');
  const rotations = () => issued().filter(({ reason }) => reason === 'Due').length;
  await eventually('each was rotated twice', () => rotations() >= 10);
  // It finishes what is under way, so that every rotation that has begun is counted in full.
  assert.is(await controller.stop(), 0);
  assert.is(issued().length, rotations() + 5);
  const requests = (await requestsOf(world, 'rotating')).filter(({ objectRef }) => objectRef?.namespace === namespace);
  for (const name of names) {
    const secret = await world.client.get(SECRETS, namespace, `${name}-tls`);
    assert.match(secret?.metadata?.annotations?.[SERIALS_ANNOTATION] ?? '', /,seal=[\w-]{22}=CertificateAuthority/);
    const about = requests.filter(({ objectRef }) => [name, `${name}-tls`].includes(objectRef?.name ?? ''));
    const count = issued().filter((line) => line.name === name).length;
    const rotation = ['patch secrets', 'patch clientcertificates/status'];
    // The first issue costs one read past the cache in addition.
    assert.equal(about.map(shortly), ['get secrets', ...Array.from({ length: count }, () => rotation).flat()], name);
  }
  const first = issued().find(({ reason }) => reason === 'Due');
  const since = await requestsOf(world, 'rotating', loggedAt(first));
  assert.equal([...new Set(since.map(shortly))].sort(), ['patch clientcertificates/status', 'patch secrets']);
  await deleteAll(world, namespace);
  console.log(`${rotations()} rotations`);
});

test('a restart writes nothing', async () => {
  const world = await shared.get();
  const kubeconfig = await clusterUser(world, 'restarted');
  const namespace = await world.namespace();
  const first = await startController(kubeconfig);
  await secretAuthority(world, namespace);
  await createAll(world, namespace, numbered(10));
  await untilAllReady(world, namespace, 10);
  const quiet = await untilQuiet(world, namespace);
  await first.stop();
  const since = new Date();
  const second = await startController(kubeconfig);
  await sleep(RESTARTED_MS);
  assert.equal((await requestsOf(world, 'restarted', since)).filter(isWrite).map(shortly), []);
  assert.equal(await snapshot(world, namespace), quiet);
  assert.equal(lines(second.logs, 'signing'), []);
  await second.stop();
});

test.run();
