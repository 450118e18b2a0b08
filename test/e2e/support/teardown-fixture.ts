/** A test file with one test, which fails while everything that tests start is running. Run by teardown.test.ts. */
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';
import { startSwap } from '../authority/swap.ts';
import { startMeddler } from '../backends/intercepting-proxy.ts';
import { repeatedly } from '../backends/repeatedly.ts';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { connect, watchSecrets } from '../kube/fixture.ts';
import { startAppHere } from './app-here.ts';
import { watchCertificates } from './secret-witness.ts';
import { oneWorld } from './world.ts';

const shared = oneWorld();
test.after(shared.stop);

test('it fails in the middle', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await world.controller();
  await startAppHere(world, await world.namespace());
  await startSwap(world, { clients: ['alice'] });
  await watchCertificates(world, namespace);
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  await watchSecrets(connect(proxy.kubeconfigPath).client, namespace);
  await startMeddler({ url: world.cluster.url, ca: '' }, {});
  repeatedly(100, async () => {});
  const server = createServer().listen(0, '127.0.0.1');
  onStop(() => server.close());
  console.log('everything runs');
  assert.unreachable('on purpose');
});

test.run();
