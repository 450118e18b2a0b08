import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { names } from '../../bench/rate.ts';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { startController } from '../support/controller-process.ts';
import { createSecret, deleteSecret } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

/** So many Secrets are watched one by one. */
const WATCHED = 50;
const COUNT = WATCHED + 6;

test('however many names of Secrets are occupied, few watches are open, and each certificate is issued when its name is free', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const controller = await startController(proxy.kubeconfigPath, ['--namespaces', namespace]);
  await createAuthority(world, selfManaged(namespace));
  const all = names('occupied', COUNT);
  await Promise.all(all.map((name) => createSecret(world, namespace, `${name}-tls`)));
  await Promise.all(all.map((name) => create(world, clientCertificate(namespace, name))));
  const refused = { status: 'False', reason: 'SecretNotOwned' };
  for (const name of all) await untilReady(world, namespace, name, refused);
  const watches = () =>
    proxy.watches(
      ({ path, query }) => path.endsWith('/secrets') && query.get('fieldSelector')?.endsWith('-tls') === true,
    ).length;
  await eventually('the watches are open', () => watches() === WATCHED);
  await Promise.all(all.map((name) => deleteSecret(world, namespace, `${name}-tls`)));
  for (const name of all) await untilReady(world, namespace, name);
  await eventually('no watch is left', () => watches() === 0);
  assert.is(await controller.stop(), 0);
});

test.run();
