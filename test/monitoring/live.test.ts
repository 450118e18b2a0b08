import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROWS } from '../../tools/generate/dashboard/panels.ts';
import { dashboard } from '../../tools/generate/dashboard.ts';
import { eventually } from '../e2e/support/eventually.ts';
import type { Sample } from './prometheus.ts';
import { promtool } from './promtool.ts';
import { alertRules } from './rules.ts';
import { monitored } from './scene.ts';

const ROOT = join(import.meta.dirname, '../..');
const shared = monitored();
test.after(shared.stop);

/** A scrape comes every second, so this holds enough of them. */
const RATE_INTERVAL = '20s';
/** Whatever can go wrong within a minute has gone wrong long before; this only bounds the wait. */
const LONG_MS = 240_000;
/** These take longer to provoke than anybody would wait, or a disk that is full; alerts.test.ts tries them in time. */
const TAKES_TOO_LONG = new Set([
  'CertwheelAuditLogFailing',
  'CertwheelApprovalPending',
  'CertwheelWatchStale',
  'CertwheelRevocationOverdue',
  'CertwheelCRLEnding',
  'CertwheelShardWithoutOwner',
]);
/** The controllers are needed by all the others. */
const AT_THE_END = new Set(['CertwheelControllerAbsent']);

const RULES = alertRules().map((rule) => ({
  ...rule,
  title: titleOf(rule.alert, rule.labels),
}));

test('Prometheus scrapes both controllers, and takes every rule', async () => {
  const { prometheus } = await shared.get();
  await eventually('both are up', async () => (await prometheus.query('up == 1')).length === 2);
  interface Answer {
    readonly data: {
      readonly groups: readonly { readonly rules: readonly { health: string; lastError?: string }[] }[];
    };
  }
  const rules = await eventually('all rules were judged', async () => {
    const { data } = (await prometheus.get('/api/v1/rules')) as Answer;
    const all = data.groups.flatMap((group) => group.rules);
    return all.every(({ health }) => health !== 'unknown') && all;
  });
  assert.is(rules.length, RULES.length);
  for (const { health, lastError } of rules) assert.is(health, 'ok', lastError);
});

test('every alert that can be provoked within minutes speaks up', async () => {
  const { prometheus } = await shared.get();
  const waited = RULES.filter(({ alert }) => !TAKES_TOO_LONG.has(alert) && !AT_THE_END.has(alert));
  // Prometheus' own record of each second: what is about to expire is silent once it has, maybe before anybody asks.
  const record = `last_over_time(ALERTS[${LONG_MS}ms])`;
  const heard = new Map<string, Sample>();
  const missing = () => waited.map(({ title }) => title).filter((title) => !heard.has(title));
  await eventually(
    'all of them',
    async () => {
      for (const sample of await prometheus.query(record)) {
        const title = titleOf(sample.labels.alertname, sample.labels);
        if (!heard.has(title)) heard.set(title, sample);
      }
      return missing().length === 0;
    },
    LONG_MS,
  ).catch(() => assert.equal(missing(), []));
  // The namespace is that of the resource, not that of the controller. Alerts on authorities and verifiers have none.
  for (const [title, { labels }] of heard)
    if (/Certificate|Rotation/.test(title) && !/fleet|Verifier|CARotation/.test(title))
      assert.match(labels.namespace ?? '', /^test-/);
});

test('promtool finds nothing wrong with what a controller shows', async () => {
  const { controllers } = await shared.get();
  for (const controller of controllers) {
    const { text } = await promtool(['check', 'metrics'], await controller.metrics());
    const complaints = text.split('\n').filter((line) => line !== '');
    // Three gauges of the library for Node's own metrics are called _total.
    for (const line of complaints) assert.match(line, /^nodejs_active_\w+_total non-counter/);
  }
});

for (const { title, panels } of ROWS) {
  for (const panel of panels) {
    test(`${title}: ${panel.title} shows something`, async () => {
      const { prometheus } = await shared.get();
      for (const { expr, legend } of panel.queries) {
        // On a busy machine there may be no renewal within the interval of one question.
        const samples = await eventually(`a number for ${legend}: ${expr}`, async () => {
          const found = await prometheus.query(substituted(expr));
          return found.some(({ value }) => Number.isFinite(value)) && found;
        });
        for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
          if (label !== 'pod') assert.ok(samples[0]?.labels[label], `no label ${label} for ${legend}: ${expr}`);
      }
    });
  }
}

test('Prometheus understands every query of the pages', async () => {
  const { prometheus } = await shared.get();
  const queries = globSync('{docs/monitoring.md,docs/runbooks/*.md}', { cwd: ROOT }).flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/```promql\n([\s\S]*?)```/g)].map((match) => match[1] ?? ''),
  );
  assert.ok(queries.length > 8);
  for (const query of queries) await prometheus.query(query);
});

test('each variable has values to choose from', async () => {
  const { prometheus } = await shared.get();
  for (const { definition } of dashboard().templating.list.filter((each) => 'definition' in each)) {
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(String(definition)) ?? [];
    assert.ok((await prometheus.query(`count by (${label}) (${metric})`)).length > 0, String(definition));
  }
});

for (const { title, alert, expr } of RULES.filter((rule) => AT_THE_END.has(rule.alert))) {
  test(`${title} fires when no object is left, and not before`, async () => {
    const { controllers, prometheus } = await shared.get();
    assert.equal(await prometheus.query(expr), []);
    await Promise.all(controllers.map((controller) => controller.stop()));
    await eventually(alert, async () => (await prometheus.query(expr)).length > 0);
  });
}

test.run();

function titleOf(alert: string | undefined, { severity, scope }: Readonly<Record<string, string>>): string {
  return [alert, severity, scope].filter((part) => part !== undefined).join(' ');
}

/** As Grafana would, with everything chosen. */
function substituted(expr: string): string {
  return expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll(/\$(namespace|authority)/g, '.*');
}
