import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientCertificate, create, createAuthority, readSecret, selfManaged, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

test('a ClientCertificate becomes Ready, and its Secret holds what a workload mounts', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice', { dnsNames: ['alice.example.com'] }));
  const status = await untilReady(world, namespace, 'alice');
  const secret = await readSecret(world, namespace, 'alice-tls');
  assert.is(secret?.leaf.serialNumber.toLowerCase(), status.serialNumber);
  assert.is(secret?.leaf.subject, 'CN=alice');
  assert.is(secret?.leaf.subjectAltName, 'DNS:alice.example.com');
  assert.is(secret?.object.type, 'kubernetes.io/tls');
  assert.is(await controller.stop(), 0);
});

test.run();
