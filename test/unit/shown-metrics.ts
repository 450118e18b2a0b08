/** Metrics with certificates in them, and their samples. */
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import { systemClock } from '../../src/clock.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { aCertificate } from './builders.ts';

const NOW = new Date('2026-06-01T12:00:00Z');

export function metricsOf(mostCertificateSeries = 100, shards?: { held: number; count: number }): Metrics {
  const clock = { ...systemClock, now: () => NOW };
  const metrics = createMetrics(['secret', 'selfManaged'], clock, mostCertificateSeries);
  metrics.ask({
    queueDepth: (name) => (name === 'certificates' ? 3 : 0),
    watches: () => [['secrets', { lastEventAt: 4_000, restarts: { expired: 2 } } as never]],
    monotonicMs: () => 10_000,
    leading: () => true,
    shards: () => shards,
  });
  return metrics;
}

/** The samples of our own metrics, as `name{labels}` with their value. */
export async function samplesOf(metrics: Metrics): Promise<Record<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('certwheel_'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Those samples that are about one certificate or authority. */
export async function about(metrics: Metrics, word: string): Promise<Record<string, number>> {
  const all = await samplesOf(metrics);
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.includes(word)));
}

export const READY: ClientCertificateStatus = {
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Issued', message: '', lastTransitionTime: '2026-06-01T12:00:00Z' },
  ],
  notAfter: '2026-06-02T12:00:00Z',
  renewalTime: '2026-06-02T00:00:00Z',
};
export const named = (name: string, authority = 'ca') =>
  aCertificate({ authorityRef: { name: authority } })
    .with({ name })
    .build();
