/** The commands of docs/outputs.md do what the page says, for a reader who has nothing but a controller. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { hasItsStore } from '../support/key-stores.ts';
import { shellBlocks } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');

// The page names a namespace, which others that share a control plane could have too.
const scene = oneScene({ own: true, authority: false });
test.after(scene.stop);

const [example = '', password = '', look = ''] = shellBlocks('docs/outputs.md');

test('the example brings a Secret with all files', async () => {
  const { world } = await scene.get();
  const commands = example.replace('examples/', `${EXAMPLES}/`);
  const printed = await runCommands(world, commands, commandFolder(world));
  assert.match(printed, 'condition met');
  for (const file of ['keystore.p12', 'truststore.jks', 'tls-combined.pem', 'key.der', 'client.key', 'root.crt'])
    assert.match(printed, `${file}: `);
});

test('the command for the password changes one that is there, and the stores open with it', async () => {
  const { world } = await scene.get();
  const folder = commandFolder(world);
  for (const round of [1, 2]) {
    await runCommands(world, password, folder);
    const { data = {} } = (await world.client.get(SECRETS, 'shop', 'store-password')) ?? {};
    const secret = Buffer.from(data.password ?? '', 'base64').toString();
    assert.match(secret, /^[0-9a-f]{48}$/);
    await eventually(`the stores open with password ${round}`, async () =>
      hasItsStore(await world.client.get(SECRETS, 'shop', 'orders-tls'), secret),
    );
  }
  // In place of keytool, which not every machine has.
  const read = look.replace(/^keytool .*$/m, 'openssl pkcs12 -in keystore.p12 -passin file:password -nokeys');
  assert.is.not(read, look);
  assert.match(await runCommands(world, read, folder), 'friendlyName: certificate');
});

test.run();
