/** docs/how-to/partner-keys.md on a real control plane: its commands, and what they print. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { untilRevision } from '../support/edits.ts';
import { blocksInOrder, commandsWithOutput, timeless } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SECOND_MS = 1_000;
const PAGE = 'docs/how-to/partner-keys.md';

// The page names a namespace, which other files that share a control plane could have too.
const scene = oneScene({ own: true, authority: false });
test.after(scene.stop);

/** OpenSSL of other versions writes names without the blanks, and says on another channel that a signature is good. */
const comparable = (output: string) =>
  timeless(output).replace('Certificate request self-signature verify OK\n', '').replaceAll(' = ', '=').trim();

test('the commands of the page onboard a partner, renew the certificate, and let the partner go', async () => {
  const { world } = await scene.get();
  const folder = commandFolder(world);
  symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
  const run = (commands: string) => runCommands(world, commands, folder);

  for (const heading of ['The partner makes key and request', 'Onboard', 'Renew']) {
    const [{ commands, output } = { commands: '', output: '' }] = commandsWithOutput(PAGE, heading);
    const printed = comparable(await run(commands));
    const [, expected = output] = comparable(output).split('...\n');
    assert.ok(printed.endsWith(comparable(expected)), `${heading}: ${printed}`);
    const secret = await world.client.get(SECRETS, 'partners', 'partner-tls');
    if (heading === 'The partner makes key and request') assert.is(secret, undefined);
    else assert.equal([secret?.type, Object.keys(secret?.data ?? {}).sort()], ['Opaque', ['ca.crt', 'tls.crt']]);
  }
  await run(`kubectl get secret partner-tls -n partners -o jsonpath='{.data.tls\\.crt}' | base64 -d > partner.crt`);
  const ofKey = await run('openssl pkey -in partner.key -pubout');
  assert.is(await run('openssl x509 -in partner.crt -noout -pubkey'), ofKey);

  const [, late] = blocksInOrder(PAGE, 'Renew').filter(({ language }) => language === 'sh');
  // The command writes whole seconds, and one that isn't later than the last issue is honoured already.
  await sleep(SECOND_MS);
  await run(late?.text ?? '');
  const { leaf } = await untilRevision(world, 'partners', 'partner-tls', 3);
  assert.is(leaf.publicKey.export({ type: 'spki', format: 'pem' }), ofKey);

  const [end] = blocksInOrder(PAGE, 'Let the partner go').filter(({ language }) => language === 'sh');
  await run(end?.text ?? '');
  assert.is(await world.client.get(CLIENT_CERTIFICATES, 'partners', 'partner'), undefined);
  assert.is(await world.client.get(CONFIG_MAPS, 'partners', 'partner-request'), undefined);
  // The test cluster has no garbage collector: what it would follow is the owner of the Secret.
  await eventually('the Secret is gone, or goes with its owner', async () => {
    const secret = await world.client.get(SECRETS, 'partners', 'partner-tls');
    return secret === undefined || secret.metadata?.ownerReferences?.length === 1;
  });
});

test.run();
