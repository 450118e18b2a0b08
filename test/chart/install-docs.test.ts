import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { helmEnvironment, NAMESPACE, ROOT } from './support/helm.ts';
import { ensureTool } from './tools.ts';

const PAGE = readFileSync(join(ROOT, 'docs/install.md'), 'utf8');
/** They wait for Pods, which a control plane without a node never has. */
const NEEDS_A_NODE = /^(kubectl rollout status|helm test) /;
/** Says no by its exit code. */
const ASKS = /^kubectl auth can-i /;

/** The commands of a section, one by one. */
function commandsOf(section: string): string[] {
  const text = PAGE.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
  assert.ok(commands.length > 0, `docs/install.md has no commands under ${section}`);
  return commands.filter((command) => !NEEDS_A_NODE.test(command) && !ASKS.test(command));
}

async function run(cluster: ControlPlane, commands: readonly string[]): Promise<void> {
  const PATH = [dirname(cluster.kubectlPath), dirname(await ensureTool('helm')), process.env.PATH].join(':');
  for (const command of commands) {
    const written = command.replaceAll(/(^|[ /])certwheel\.yaml/g, `$1${cluster.dir}/certwheel.yaml`);
    await promisify(execFile)('bash', ['-c', written.replaceAll('/tmp/certwheel-chart', `${cluster.dir}/chart`)], {
      cwd: ROOT,
      env: { ...process.env, ...helmEnvironment(cluster), PATH },
    });
  }
}

/** Runs sections of the page on a control plane of their own, then looks at what is there. */
async function follow(sections: readonly string[], look: (cluster: ControlPlane) => Promise<void>): Promise<void> {
  const cluster = await startControlPlane();
  try {
    for (const section of sections) await run(cluster, commandsOf(section));
    await look(cluster);
  } finally {
    await cluster.stop();
  }
}

test('install with Helm, upgrade, uninstall, and remove everything', async () => {
  await follow(['With Helm', 'Upgrade', 'Security', 'Uninstall'], async ({ kubectl }) => {
    assert.is((await kubectl(['get', 'crd', '-o', 'name'])).stdout, '');
  });
});

test('install into single namespaces', async () => {
  await follow(['Single namespaces'], async ({ kubectl }) => {
    const { stdout } = await kubectl(['get', 'roles', '--all-namespaces', '-o', 'name']);
    assert.is(stdout.split('\n').filter((line) => line.endsWith('/certwheel')).length, 3);
  });
});

test('install without the internet', async () => {
  await follow(['Without the internet'], async ({ kubectl }) => {
    const { stdout } = await kubectl(['get', 'deployment', 'certwheel', '-n', NAMESPACE, '-o', 'yaml']);
    assert.match(stdout, 'image: registry.example.com/certwheel/certwheel:0.1.0');
  });
});

test('install with plain manifests', async () => {
  await follow(['With plain manifests'], async ({ kubectl }) => {
    await kubectl(['get', 'deployment', 'certwheel', '-n', NAMESPACE]);
    await kubectl(['get', 'crd', 'clientcertificates.certwheel.io']);
  });
});

test.run();
