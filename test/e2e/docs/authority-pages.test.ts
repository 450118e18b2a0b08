import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

import { NAMESPACES } from '../../../src/api/names.ts';
import { matching, read } from '../../docs/place.ts';
import { oneWorld } from '../support/world.ts';

// Whatever a page shows of our resources is taken by the API server as it stands, with no field that it doesn't know.

const ROOT = join(import.meta.dirname, '../../..');
const PAGES = [...matching('docs/authorities/*.md'), 'docs/fallback.md', 'README.md'];
const EXAMPLES = { 'aws-private-ca': 'awsPrivateCA', 'google-cas': 'googleCAS' } as const;

const worlds = oneWorld();
test.after(worlds.stop);

interface Manifest {
  readonly apiVersion?: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  readonly spec?: Record<string, unknown>;
}

/** The blocks of YAML of a page, without the indent of a list. */
function blocksOf(page: string): readonly unknown[] {
  return [...read(page).matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent = '', text = '']) =>
    load(text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')),
  );
}

async function dryRun(manifest: Manifest): Promise<void> {
  const { client, cluster } = await worlds.get();
  const { namespace } = manifest.metadata ?? {};
  if (namespace !== undefined && (await client.get(NAMESPACES, undefined, namespace)) === undefined)
    await client.create(NAMESPACES, { metadata: { name: namespace } });
  await cluster.kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], {
    input: JSON.stringify(manifest),
  });
}

for (const page of PAGES) {
  const ours = (blocksOf(page) as Manifest[]).filter((each) => each.apiVersion?.startsWith('certwheel.io/') === true);
  if (ours.length === 0) continue;
  test(`${page}: ${ours.length} resources`, async () => {
    for (const manifest of ours) await dryRun(manifest);
  });
}

for (const [page, backend] of Object.entries(EXAMPLES))
  test(`docs/authorities/${page}.md: each way to log in, in the authority of the example`, async () => {
    const path = join(ROOT, 'examples/authorities', page, 'authority.yaml');
    const example = loadAll(readFileSync(path, 'utf8')).at(-1) as Required<Manifest>;
    const logins = (blocksOf(`docs/authorities/${page}.md`) as { auth?: object }[]).flatMap(({ auth }) => auth ?? []);
    assert.is(logins.length, 3);
    for (const auth of logins)
      await dryRun({
        ...example,
        spec: { ...example.spec, [backend]: { ...(example.spec[backend] as object), auth } },
      });
  });

test.run();
