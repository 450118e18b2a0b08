import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROWS } from '../../tools/generate/dashboard/panels.ts';
import { dashboard } from '../../tools/generate/dashboard.ts';
import { ownMetrics } from '../../tools/generate/metrics-reference.ts';
import { alertNames, alertRules } from '../monitoring/rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const RUNBOOKS = globSync('docs/runbooks/*.md', { cwd: ROOT });

const SECTIONS = ['What it means', 'Impact', 'Diagnosis', 'Likely causes', 'Automatic recovery'] as const;

test('every alert has its page, and every page its alert', () => {
  assert.equal(RUNBOOKS.map((path) => basename(path, '.md')).sort(), [...alertNames()].sort());
});

for (const path of RUNBOOKS) {
  test(`${path} has every section, in order`, () => {
    const page = read(path);
    assert.match(page, new RegExp(`^# ${basename(path, '.md')}\n`));
    assert.equal(
      [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title),
      [...SECTIONS],
    );
    assert.match(page, /^```(sh|promql)$/m);
    for (const { alert, labels, ...rule } of alertRules()) {
      if (alert !== basename(path, '.md')) continue;
      const [, count, unit] = /^(\d+)([mh])$/.exec(rule.for) ?? [];
      // The line may be broken anywhere.
      const words = new RegExp(`${labels.severity}, after ${count} ${unit === 'h' ? 'hour' : 'minute'}s?\\b`, 'i');
      assert.match(page.replaceAll(/\s+/g, ' '), words);
    }
  });
}

test('every rule has a severity, a summary, a description and its page', () => {
  for (const { alert, labels, annotations } of alertRules()) {
    assert.match(labels.severity ?? '', /^(critical|warning|info)$/, alert);
    assert.is(annotations.runbook, `docs/runbooks/${alert}.md`);
    assert.ok(existsSync(join(ROOT, annotations.runbook ?? '')));
    assert.match(annotations.summary ?? '', /^\S.*[^.]$/, alert);
    assert.match(annotations.description ?? '', /^[^{].*\.$|^\{\{.*\.$/, alert);
  }
});

test('docs/monitoring.md lists every alert with its severities', () => {
  const rows = [...read('docs/monitoring.md').matchAll(/^\| \[(\w+)\]\(runbooks\/(\w+)\.md\) \| ([a-z, ]+) \|/gm)];
  const listed = rows.map(([, name, page, severities]) => {
    assert.is(name, page);
    return `${name}: ${severities}`;
  });
  const actual = [...alertNames()].map((name) => {
    const severities = new Set(
      alertRules()
        .filter(({ alert }) => alert === name)
        .map(({ labels }) => labels.severity),
    );
    return `${name}: ${[...severities].join(', ')}`;
  });
  assert.equal(listed.sort(), actual.sort());
});

test('alerts, dashboard and pages name no metric that there is not', async () => {
  const names = new Set((await ownMetrics()).map(({ name }) => name));
  const texts = {
    alerts: alertRules().map(({ expr }) => expr),
    dashboard: ROWS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))),
    pages: [...RUNBOOKS, 'docs/monitoring.md'].map(read),
  };
  for (const [where, all] of Object.entries(texts)) {
    for (const [name] of all.join('\n').matchAll(/certwheel_[a-z_]+/g))
      assert.ok(names.has(name) || names.has(name.replace(/_(bucket|count|sum)$/, '')), `${where}: ${name}`);
  }
});

test('each panel says what it is, in which unit, and how its series are called', () => {
  const panels = ROWS.flatMap((row) => row.panels);
  assert.is(new Set(panels.map(({ title }) => title)).size, panels.length);
  for (const { title, description, unit, queries } of panels) {
    assert.match(description, /^\S.*\.$/, title);
    assert.ok(unit !== '' && queries.length > 0, title);
    for (const { legend } of queries) assert.ok(legend !== '', title);
  }
});

test('no two panels of the dashboard overlap, and each has an id of its own', () => {
  const { panels } = dashboard();
  const cells = new Set<string>();
  for (const { gridPos } of panels as readonly { gridPos: { x: number; y: number; w: number; h: number } }[]) {
    assert.ok(gridPos.x + gridPos.w <= 24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.not(cells.has(`${x} ${y}`), `two panels at ${x}, ${y}`);
        cells.add(`${x} ${y}`);
      }
  }
  assert.is(new Set((panels as readonly { id: number }[]).map(({ id }) => id)).size, panels.length);
});

test.run();
