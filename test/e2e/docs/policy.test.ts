/** docs/policy.md, command by command. */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSecret } from '../support/objects.ts';
import { commandText } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';

// The page names namespaces and a cluster authority.
const scene = oneScene({ own: true, authority: false, isHome: true, flags: ['--approvals'] });
test.after(scene.stop);

/** Runs all commands under a heading; answers what they print. */
async function run(heading: string): Promise<string> {
  const { cluster } = (await scene.get()).world;
  const cwd = mkdtempSync(join(cluster.dir, 'policy-'));
  const PATH = `${dirname(cluster.kubectlPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH, KUBECONFIG: cluster.kubeconfigPath, KUBECACHEDIR: join(cwd, 'cache') };
  const { stdout } = await promisify(execFile)('bash', ['-euc', commandText('docs/policy.md', heading)], { cwd, env });
  if (process.env.SHOW_OUTPUT !== undefined) console.log(`${heading}\n${stdout}`);
  return stdout;
}

test('policy.md leads from everything to least privilege', async () => {
  const { world } = await scene.get();
  assert.match(await run('1. See what is open'), /teams: each namespace .* any name/);
  await run('2. Give each namespace its own names');
  assert.match((await readSecret(world, 'finance', 'ledger-tls'))?.leaf.subject ?? '', 'OU=finance');
  const denial = await run('3. Read a denial');
  assert.match(denial, 'rule own-names allows no subject.organizationalUnits, such as "finance"');
  assert.not.match(denial, 'rule finance');
  assert.match(await run('4. Approve requests'), /acme-1 +acme +Approved +teams/);
});

test.run();
