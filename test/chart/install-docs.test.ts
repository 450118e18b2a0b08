import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { commandsOf } from '../e2e/support/page.ts';
import { NAMESPACE } from './support/helm.ts';
import { runCommands } from './support/page.ts';

/** They wait for Pods, which a control plane without a node never has. */
const NEEDS_A_NODE = /^(kubectl rollout status|helm test) /;
/** Says no by its exit code. */
const ASKS = /^kubectl auth can-i /;

/** They need what a reader puts in; the columns of a table have such names too. */
const HAS_GAPS = /\b(GROUP|NAMESPACE)\b(?!:)/;

/** For a release that an older chart has installed with that value; Helm refuses to drop what is not there. */
const FROM_OLDER_CHART = /rbac\.authorities=null/;

/** The commands of a section, but for those. */
function commands(section: string): string[] {
  return commandsOf('docs/install.md', section).filter(
    (each) => ![NEEDS_A_NODE, ASKS, HAS_GAPS, FROM_OLDER_CHART].some((left) => left.test(each)),
  );
}

/** Runs sections of the page on a control plane of their own, then looks at what is there. */
async function follow(sections: readonly string[], look: (cluster: ControlPlane) => Promise<void>): Promise<void> {
  const cluster = await startControlPlane();
  try {
    for (const section of sections) await runCommands(cluster, commands(section));
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
