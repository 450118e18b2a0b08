import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MODULES, type ModuleName } from '../programs/catalog.ts';
import { moduleFolder } from '../programs/modules.ts';

const ROOT = join(import.meta.dirname, '../..');
const KUBERNETES: readonly ModuleName[] = ['servers', 'kube-1.31', 'kube-1.34'];

/** The version of Kubernetes that a Go module pins. */
function pinned(module: ModuleName): string {
  const text = readFileSync(join(moduleFolder(module), 'go.mod'), 'utf8');
  const version = /^(?:require )?\s*k8s\.io\/kubernetes v(\S+)$/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`${module} pins no Kubernetes`);
  return version;
}

for (const module of KUBERNETES) {
  test(`the API server of ${module} says of itself the version that is pinned`, () => {
    assert.ok(MODULES[module].stamps.includes(`k8s.io/component-base/version.gitVersion=v${pinned(module)}`));
  });

  for (const page of ['README.md', 'docs/install.md']) {
    test(`${page} names the tested version of ${module}`, () => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      assert.ok(text.includes(` ${pinned(module)}`), pinned(module));
    });
  }
}

test('the oldest version that is tested is the one that the chart asks for', () => {
  const chart = readFileSync(join(ROOT, 'helm/certwheel/Chart.yaml'), 'utf8');
  const [major, minor] = pinned('kube-1.31').split('.');
  assert.ok(chart.includes(`kubeVersion: ">=${major}.${minor}.0-0"`));
});

test.run();
