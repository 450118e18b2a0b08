import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, NAMESPACE, ROOT, render } from './support/helm.ts';

const idOf = ({ kind, metadata: { name, namespace = '' } }: Manifest) => `${kind} ${namespace}/${name}`;

// Applying it would replace the object of the chart: rules of a role would be granted to everybody who has that role.
test('no object of the examples has the name of one of the chart', async () => {
  const manifests = [...(await render()), ...(await render({ namespaces: ['payments'] }))];
  const ofChart = new Set(manifests.flatMap((each) => [idOf(each), idOf(inRelease(each))]));
  assert.ok(ofChart.has('ClusterRole /certwheel-approver'));
  for (const file of globSync('examples/**/*.yaml', { cwd: ROOT }))
    for (const object of loadAll(readFileSync(join(ROOT, file), 'utf8')) as Manifest[])
      assert.not(ofChart.has(idOf(object)), `${idOf(object)} of ${file}`);
});

/** With the namespace that Helm gives to what names none. */
function inRelease(manifest: Manifest): Manifest {
  return { ...manifest, metadata: { namespace: NAMESPACE, ...manifest.metadata } };
}

test.run();
