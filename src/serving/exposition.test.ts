import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { systemClock } from '../clock.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { SeriesGauge } from '../metrics/series-gauge.ts';
import { renderInTurns } from './exposition.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const named = (name: string) => aCertificate().with({ name }).build();

/** Metrics of so many certificates, some without dates, some not ready, some slowed down. */
function metricsOf(certificates: number) {
  const metrics = createMetrics(['secret'], { ...systemClock, now: () => NOW }, 100_000);
  const condition = (type: string, status: 'True' | 'False', reason: string) => ({
    type,
    status,
    reason,
    message: '',
    lastTransitionTime: '2026-06-01T12:00:00Z',
  });
  for (let index = 0; index < certificates; index += 1) {
    const dates = { notAfter: '2026-06-02T12:00:00Z', renewalTime: '2026-06-02T00:00:00Z' };
    const reason = index % 5 === 0 ? 'SecretContested' : 'Issued';
    const conditions = [condition('Ready', index % 2 === 0 ? 'True' : 'False', reason)];
    metrics.certificates.show(named(`c${index}`), { conditions, ...(index % 3 === 0 ? {} : dates) });
  }
  return metrics;
}

/** Metrics of the process change between two scrapes. */
const withoutProcess = (text: string) => text.replaceAll(/^(process|nodejs)_.*\n/gm, '');

/** Each series, without its value. */
const seriesIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));

for (const certificates of [0, 1, 500, 1_234]) {
  test(`the text for ${certificates} certificates is that of prom-client, byte for byte`, async () => {
    const { registry } = metricsOf(certificates);
    const text = (await renderInTurns(registry)).toString();
    assert.is(withoutProcess(text), withoutProcess(await registry.metrics()));
    for (const { name } of registry.getMetricsAsArray()) {
      assert.is(text.split(`# HELP ${name} `).length, 2, name);
      assert.is(text.split(`# TYPE ${name} `).length, 2, name);
    }
  });
}

test('labels and numbers of all kinds are written as prom-client does', async () => {
  const registry = new Registry();
  const texts = ['', 'plain', 'a"quote"', 'back\\slash', 'two\nlines', '\\"\n\\\\', 'ünïcode €'];
  const values = [0, 1, -1.5, 1e21, 1e-7, 1_780_315_200];
  new SeriesGauge({ name: 'any', help: 'Any.', labelNames: ['text', 'other'], registers: [registry] }, () =>
    texts.flatMap((text) => values.map((value) => ({ labels: { text, other: text }, value }))),
  );
  assert.is((await renderInTurns(registry)).toString(), await registry.metrics());
});

test('certificates that change, are deleted and created again during a scrape appear once', async () => {
  const metrics = metricsOf(3_000);
  const rendering = renderInTurns(metrics.registry);
  let isDone = false;
  void rendering.then(() => {
    isDone = true;
  });
  let turns = 0;
  while (!isDone) {
    // It was written a while ago, and comes last of all from here on.
    metrics.certificates.hide(`team/c${turns}`);
    metrics.certificates.show(named(`c${turns}`), { conditions: [] });
    metrics.certificates.show(named(`new${turns}`), { conditions: [] });
    turns += 1;
    await setImmediate();
  }
  // More than one for each of the three families with 3,000 series.
  assert.ok(turns > 12, `${turns} turns`);
  const series = seriesIn((await rendering).toString());
  assert.is(new Set(series).size, series.length);
});

test.run();
