/** ClientCertificates with the finalizer when no controller runs any more. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { patchAuthority } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { commandText } from '../support/page.ts';
import { eventually, oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

async function held(names: readonly string[]) {
  const world = await shared.get();
  const namespace = await world.namespace();
  const controller = await world.controller(['--controller-namespace', namespace]);
  await createAuthority(world, selfManaged(namespace, 'ca', { revocation: { deleted: 'Revoke' } }));
  for (const name of names) await create(world, clientCertificate(namespace, name));
  for (const name of names) await untilReady(world, namespace, name);
  const finalizersOf = async (name: string) =>
    (await world.client.get(CLIENT_CERTIFICATES, namespace, name))?.metadata?.finalizers;
  for (const name of names) assert.equal(await finalizersOf(name), ['certwheel.io/revocation']);
  return { world, namespace, controller, finalizersOf };
}

test('the commands of the page release what was held when the controller went away', async () => {
  const { world, namespace, controller } = await held(['kept', 'gone']);
  await controller.stop();
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'gone');
  assert.ok(await world.client.get(CLIENT_CERTIFICATES, namespace, 'gone'), 'it is held');
  await runCommands(world, commandText('docs/install.md', 'Finalizers of revocation'), commandFolder(world));
  assert.is(await world.client.get(CLIENT_CERTIFICATES, namespace, 'gone'), undefined);
  assert.is((await world.client.get(CLIENT_CERTIFICATES, namespace, 'kept'))?.metadata?.finalizers, undefined);
});

test('deleted: Keep takes all finalizers off before the controller goes away', async () => {
  const names = ['a', 'b', 'c'];
  const { world, namespace, controller, finalizersOf } = await held(names);
  await patchAuthority(world, namespace, 'ca', { spec: { revocation: { deleted: 'Keep' } } });
  for (const name of names) await eventually('it has none', async () => (await finalizersOf(name)) === undefined);
  await controller.stop();
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'a');
  assert.is(await world.client.get(CLIENT_CERTIFICATES, namespace, 'a'), undefined);
});

test.run();
