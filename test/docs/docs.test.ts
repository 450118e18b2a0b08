import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ERROR_CODES } from '../../src/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = globSync('{README.md,CONTRIBUTING.md,docs/**/*.md}', { cwd: ROOT });

test('every error code has its paragraph, and every paragraph its code', () => {
  const section = read('docs/troubleshooting.md').split('## Error codes')[1]?.split('\n## ')[0] ?? '';
  const headings = [...section.matchAll(/^### (\w+)$/gm)].map((match) => match[1]);
  assert.equal(headings.sort(), [...ERROR_CODES].sort());
});

test('every link leads to a file', () => {
  for (const page of PAGES) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(ROOT, dirname(page), target)), `${page} links to ${target}, which isn't there`);
    }
  }
});

test('every test file that the threat model names is there, and every attack is in it', () => {
  const page = read('docs/threat-model.md');
  const named = [...page.matchAll(/`([\w/.-]+\.test\.ts)`/g)].map(([, path = '']) =>
    path.includes('/') ? path : `test/e2e/attacks/${path}`,
  );
  for (const path of named) assert.ok(existsSync(join(ROOT, path)), path);
  const attacks = globSync('test/e2e/attacks/*.test.ts', { cwd: ROOT });
  for (const path of attacks) assert.ok(named.includes(path), `${path} is in no row of docs/threat-model.md`);
});

test('every make target and npm script that a page names is there', () => {
  // Make's own list, in which the targets of pattern rules stand by their names.
  const database = spawnSync('make', ['--question', '--print-data-base', 'help'], { cwd: ROOT, encoding: 'utf8' });
  const targets = new Set([...database.stdout.matchAll(/^([a-z0-9-]+):/gm)].map((match) => match[1]));
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
  for (const page of PAGES) {
    for (const [, names = ''] of read(page).matchAll(
      /(?:^|`|=\d )make ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)*)(?=`|$|\s)/gm,
    )) {
      for (const name of names.split(' '))
        assert.ok(targets.has(name), `${page} names make ${name}, which isn't there`);
    }
    for (const [, name = ''] of read(page).matchAll(/npm run ([a-z:-]+)/g))
      assert.ok(scripts.includes(name), `${page} names npm run ${name}`);
  }
});

test('help lists every target that is meant for people', () => {
  const makefile = read('Makefile');
  for (const name of [
    'help',
    'demo',
    'test',
    'test-unit',
    'test-e2e',
    'bench',
    'generate',
    'verify',
    'lint',
    'typecheck',
    'build',
    'image-tar',
    'clean',
  ]) {
    assert.match(makefile, new RegExp(`^${name}:.*## .`, 'm'));
  }
});

test.run();
