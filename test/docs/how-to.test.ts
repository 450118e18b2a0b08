import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shellBlocks, shellCommands } from '../e2e/support/page.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = globSync('docs/how-to/*.md', { cwd: ROOT }).filter((path) => basename(path) !== 'README.md');
const MOST_LINES = 80;

/** Kinds of Kubernetes and of the Prometheus Operator that the pages name. */
const FOREIGN = ['configmap', 'deployment', 'events', 'namespace', 'pod', 'pods', 'secret'];
const OPERATOR = ['prometheus', 'prometheusrule', 'servicemonitor'];

interface Crd {
  readonly spec: {
    readonly names: { readonly plural: string; readonly singular: string; readonly shortNames: string[] };
  };
}

function kinds(): Set<string> {
  const names = globSync('crds/*.yaml', { cwd: ROOT }).map((path) => (load(read(path)) as Crd).spec.names);
  const own = names.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames]);
  return new Set([...FOREIGN, ...OPERATOR, ...own]);
}

/** The kinds that a kubectl command names: `get cauth,ccert`, `describe ccert orders`, `logs deployment/orders`. */
function kindsOf(command: string): string[] {
  const words = command.split(' ').filter((word) => word !== '');
  const [verb = '', second = ''] = words.slice(1);
  if (verb === 'apply') return [];
  const operand =
    verb === 'rollout' ? (words[3] ?? '') : verb === 'wait' ? (words.slice(2).find(isOperand) ?? '') : second;
  return isOperand(operand) ? (operand.split('/')[0]?.split(',') ?? []) : [];
}

const isOperand = (word: string) => /^[a-z]/.test(word);

/** Whether values.yaml has the key; labels and annotations take any key below them. */
function isValue(key: string): boolean {
  let at: unknown = load(read('helm/certwheel/values.yaml'));
  for (const part of key.split('.')) {
    if (typeof at !== 'object' || at === null) return false;
    if (!(part in at)) return /\.(labels|annotations)\./.test(key);
    at = (at as Record<string, unknown>)[part];
  }
  return true;
}

test('README.md of the how-to pages lists each of them once, and the README of the project leads there', () => {
  const listed = [...read('docs/how-to/README.md').matchAll(/^\| \[([\w-]+\.md)\]\(\1\) \|/gm)].map(([, name]) => name);
  assert.equal(listed.sort(), PAGES.map((path) => basename(path)).sort());
  assert.match(read('README.md'), '](docs/how-to/README.md)');
});

for (const page of PAGES) {
  test(`${page} is short, and each block of commands is one that bash can read`, () => {
    assert.ok(read(page).split('\n').length <= MOST_LINES + 1, `more than ${MOST_LINES} lines`);
    for (const block of shellBlocks(page)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      // A here-document without its end is a warning alone.
      assert.equal([status, stderr], [0, ''], block);
    }
  });

  test(`${page} names kinds, values and files that there are`, () => {
    const known = kinds();
    const commands = shellCommands(page);
    assert.ok(commands.length > 0);
    for (const command of commands) {
      if (command.startsWith('kubectl '))
        for (const kind of kindsOf(command)) assert.ok(known.has(kind), `${kind} in: ${command}`);
      for (const [, key = ''] of command.matchAll(/--set '?([\w.]+)=/g))
        assert.ok(isValue(key), `${key} in: ${command}`);
      for (const [path] of command.matchAll(/\b(?:examples|helm)\/[\w/-]+/g))
        assert.ok(globSync(path, { cwd: ROOT }).length > 0, `${path} in: ${command}`);
    }
    const values = [...read(page).matchAll(/`((?:controller|metrics|networkPolicy|image)\.[\w.]+)`/g)];
    for (const [, key = ''] of values) assert.ok(isValue(key), key);
  });
}

/** The anchors that GitHub gives to the headings of a page. */
const anchorsOf = (path: string) =>
  [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );

test('every link of the how-to pages to a heading leads to one', () => {
  for (const page of PAGES)
    for (const [, target = '', anchor = ''] of read(page).matchAll(/\]\(([^)#:]+\.md)#([^)]+)\)/g))
      assert.ok(anchorsOf(join(dirname(page), target)).includes(anchor), `${page} links to ${target}#${anchor}`);
});

test('a kind and a value that are not there are noticed', () => {
  assert.equal(kindsOf('kubectl get cauth,gremlin -n demo'), ['cauth', 'gremlin']);
  assert.equal(kindsOf('kubectl rollout status deployment/orders -n shop'), ['deployment']);
  assert.equal(kindsOf('kubectl wait --for=condition=Ready ccert/orders -n demo'), ['ccert']);
  assert.equal(kindsOf('kubectl get --raw /api'), []);
  assert.not(kinds().has('gremlin'));
  assert.ok(isValue('metrics.serviceMonitor.labels.release'));
  assert.not(isValue('metrics.serviceMonitor.label.release'));
});

test.run();
