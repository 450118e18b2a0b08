import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { names } from '../../bench/rate.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

const COUNT = 14;
const RATE = { requests: 4, per: 'Second', burst: 2 };

test('an authority with a rate limit is asked no more often, and all get their certificate', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', { rateLimit: RATE }));
  const all = names('c', COUNT);
  await Promise.all(all.map((name) => create(world, clientCertificate(namespace, name))));
  for (const name of all) await untilReady(world, namespace, name);
  const signed = controller.logs
    .filter(({ message }) => message === 'signing')
    .map(({ timestamp }) => Date.parse(String(timestamp)));
  assert.is(signed.length, COUNT, 'each was signed once');
  for (const from of signed) {
    const within = signed.filter((each) => each >= from && each < from + 1_000).length;
    // What the bucket held, and what flows into it in that second.
    assert.ok(within <= RATE.burst + RATE.requests, `${within} in one second`);
  }
  const tookMs = Math.max(...signed) - Math.min(...signed);
  assert.ok(tookMs > ((COUNT - RATE.burst - 1) / RATE.requests) * 1_000 * 0.9, `${tookMs} ms for all`);
  assert.is(await controller.stop(), 0);
});

test('of those that wait, the one that expires soonest comes first', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', { rateLimit: { requests: 1, per: 'Second', burst: 1 } }));
  const hours = [6, 2, 5, 1, 4, 3];
  for (const each of hours) await create(world, clientCertificate(namespace, `h${each}`, { duration: `${each}h` }));
  for (const each of hours) await untilReady(world, namespace, `h${each}`);
  const from = controller.logs.length;
  const moment = new Date().toISOString();
  await Promise.all(hours.map((each) => renewAt(world, namespace, `h${each}`, moment)));
  for (const each of hours) await untilRevision(world, namespace, `h${each}-tls`, 2);
  const order = controller.logs
    .slice(from)
    .filter(({ message }) => message === 'signing')
    .map(({ name }) => name);
  // Who comes first finds nobody waiting.
  assert.equal(order.slice(1), [...order.slice(1)].sort());
  assert.is(order.length, hours.length);
  assert.is(await controller.stop(), 0);
});

test('of an authority of the cluster each namespace gets as much as the others, however many wait in one', async () => {
  const world = await shared.get();
  const [flooding, calm] = [await world.namespace(), await world.namespace()];
  const controller = await world.controller(['--controller-namespace', flooding]);
  const spec = {
    selfManaged: { commonName: calm },
    allowedNamespaces: { names: [flooding, calm] },
    rateLimit: { requests: 2, burst: 1 },
  };
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name: calm }, spec });
  const of = { authorityRef: { kind: 'ClusterCertificateAuthority', name: calm } };
  await Promise.all(names('flood', 14).map((name) => create(world, clientCertificate(flooding, name, of))));
  // The flood waits in line before the others come.
  await eventually('some of it is signed', () => controller.logs.some(({ message }) => message === 'signing'));
  await Promise.all(names('calm', 3).map((name) => create(world, clientCertificate(calm, name, of))));
  for (const name of names('calm', 3)) await untilReady(world, calm, name);
  const order = controller.logs.filter(({ message }) => message === 'signing').map(({ namespace }) => namespace);
  const first = order.indexOf(calm);
  assert.equal(order.slice(first, first + 5), [calm, flooding, calm, flooding, calm]);
  for (const name of names('flood', 14)) await untilReady(world, flooding, name);
  assert.is(await controller.stop(), 0);
});

test('another authority is not held up by it', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', { rateLimit: { requests: 1, per: 'Minute' } }));
  await createAuthority(world, selfManaged(namespace, 'free'));
  await Promise.all(names('slow', 40).map((name) => create(world, clientCertificate(namespace, name))));
  await create(world, clientCertificate(namespace, 'quick', { authorityRef: { name: 'free' } }));
  await untilReady(world, namespace, 'quick', {}, 30_000);
  // Those that wait for their turn are no secret.
  const waiting = async () => (await metricsOf(controller)).value('certwheel_certificates', { ready: 'false' });
  await eventually('metrics show who waits', async () => (await waiting()) === 39);
  assert.is(await controller.stop(), 0);
});

test.run();
