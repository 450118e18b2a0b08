/** docs/policy.md on a cluster with the chart, command by command. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSecret } from '../e2e/support/objects.ts';
import { commandsWithOutput } from '../e2e/support/page.ts';
import { oneScene } from '../e2e/support/scene.ts';
import type { World } from '../e2e/support/world.ts';
import { install } from './support/helm.ts';

const PAGE = 'docs/policy.md';
const REFUSED = 'Error from server';

const scene = oneScene({
  authority: false,
  isHome: true,
  flags: ['--approvals'],
  install: async (cluster) => void (await install(cluster)),
});
test.after(scene.stop);

/** What commands print, errors too. */
function run({ cluster }: World, commands: string): string {
  const cwd = mkdtempSync(join(cluster.dir, 'policy-'));
  const PATH = `${dirname(cluster.kubectlPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH, KUBECONFIG: cluster.kubeconfigPath, KUBECACHEDIR: join(cwd, 'cache') };
  const { stdout } = spawnSync('bash', ['-euc', `exec 2>&1\n${commands}`], { cwd, env, encoding: 'utf8' });
  return stdout;
}

/** A reader is slower than the API server, which learns of new rules a moment after they are stored. */
async function patiently(world: World, commands: string, mayFail: boolean): Promise<string> {
  for (let tries = 0; ; tries++) {
    const output = run(world, commands);
    if (mayFail || tries > 20 || !output.startsWith(REFUSED)) return output;
    await sleep(200);
  }
}

/** Two outputs of the same commands differ in ages. */
const timeless = (output: string) => output.replaceAll(/ \d+s$/gm, ' 0s');

for (const step of [
  '1. See what is open',
  '2. Give each namespace its own names',
  '3. Read a denial',
  '4. Approve requests',
])
  test(`the commands of step ${step} print what ${PAGE} says`, async () => {
    const { world } = await scene.get();
    for (const { commands, output } of commandsWithOutput(PAGE, step))
      assert.is(timeless(await patiently(world, commands, output.startsWith(REFUSED))), timeless(output));
  });

test('the certificates have the names that the rules allow', async () => {
  const { world } = await scene.get();
  const subject = async (namespace: string, name: string) => (await readSecret(world, namespace, name))?.leaf.subject;
  assert.match((await subject('finance', 'ledger-tls')) ?? '', 'OU=finance');
  assert.is(await subject('shop', 'checkout-tls'), 'CN=shop.checkout');
  assert.is(await subject('shop', 'acme-tls'), 'CN=partner-acme');
});

test.run();
