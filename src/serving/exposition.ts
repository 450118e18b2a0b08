import { setImmediate } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { SeriesGauge } from '../metrics/series-gauge.ts';

/** Series written before the event loop gets a turn: about a millisecond of work. */
const LINES_A_TURN = 500;

/**
 * The text of `registry.metrics()`, byte for byte, as UTF-8. That function writes all series at once: 20,000 certificates
 * block the event loop for 0.2 s or more, during which no probe is answered and no Lease renewed.
 */
export async function renderInTurns(registry: Registry): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const { name, help } of registry.getMetricsAsArray()) {
    if (parts.length > 0) parts.push(Buffer.from('\n\n'));
    const metric: unknown = registry.getSingleMetric(name);
    if (metric instanceof SeriesGauge) {
      parts.push(Buffer.from(`# HELP ${name} ${help}\n# TYPE ${name} gauge`));
      for (const lines of batches<string>(metric.lines())) {
        parts.push(Buffer.from(`\n${lines.join('\n')}`));
        await setImmediate();
      }
    } else {
      parts.push(Buffer.from(await registry.getSingleMetricAsString(name)));
      await setImmediate();
    }
  }
  return Buffer.concat([...parts, Buffer.from('\n')]);
}

function* batches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < LINES_A_TURN) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
