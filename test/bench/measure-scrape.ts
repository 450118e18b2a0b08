import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { renderInTurns } from '../../src/serving/exposition.ts';
import { Rendering } from '../../src/serving/rendering.ts';
import { showMany } from '../unit/many-series.ts';
import type { Results } from './figures.ts';

const CERTIFICATES = 20_000;
const SCRAPES = 10;

/** The longest turn of the event loop while metrics are rendered and compressed, in CPU time of the thread. */
export async function measureScrape(): Promise<Results> {
  const metrics = createMetrics(['secret'], systemClock, CERTIFICATES);
  showMany(metrics, CERTIFICATES);
  let longestMs = 0;
  for (let scrape = 0; scrape < SCRAPES; scrape += 1) {
    let isDone = false;
    void renderInTurns(metrics.registry)
      .then((plain) => new Rendering(plain).gzip())
      .finally(() => {
        isDone = true;
      });
    let lastMs = cpuMs();
    while (!isDone) {
      await setImmediate();
      const nowMs = cpuMs();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  }
  return { scrapeTurn: { value: longestMs } };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
