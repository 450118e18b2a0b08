import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene();
test.after(scene.stop);

test('a ClientCertificate becomes Ready, and its Secret holds what a workload mounts', async () => {
  const { world, controller, namespace } = await scene.get();
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
