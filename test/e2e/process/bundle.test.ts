import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle } from '../../../tools/bundle.ts';
import { onStop } from '../../teardown.ts';
import { launchController } from '../support/controller-process.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';

const shared = oneWorld();
const folder = mkdtempSync(join(tmpdir(), 'certwheel-bundle-'));
onStop(() => rmSync(folder, { recursive: true, force: true }));
test.after(shared.stop);

test('the bundle, from which much of its libraries is left out, works as the sources do', async () => {
  const world = await shared.get();
  const program = join(folder, 'certwheel.mjs');
  await bundle(`${import.meta.dirname}/../../../src/main.ts`, program);
  const controller = launchController(
    world.cluster.kubeconfigPath,
    ['--leader-elect', '--leader-elect-namespace', 'default', '--controller-namespace', 'default'],
    {},
    program,
  );
  await eventually('it leads', () => controller.logs.some(({ message }) => message === 'became the leader'));
  // Made only now, so that nothing but a watch can tell of it.
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  assert.equal(
    controller.logs.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
  assert.match(
    await controller.metrics(),
    'certwheel_rotations_total{authority_type="selfManaged",reason="FirstIssue"} 1',
  );
  assert.is(await controller.stop(), 0);
});

test.run();
