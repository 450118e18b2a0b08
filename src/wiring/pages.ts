import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { authenticated } from '../serving/authentication.ts';
import { renderInTurns } from '../serving/exposition.ts';
import { atMost, MOST_RESPONSES, metricsPage, plain } from '../serving/metrics-page.ts';
import { shareRendering } from '../serving/rendering.ts';
import { type PageMaker, type Port, serve } from '../serving/server.ts';
import { followTlsFiles, type ServerTls } from '../serving/tls.ts';
import { TokenReviews } from '../serving/token-reviews.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';

interface PagesDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
}

/**
 * Serves metrics and probes, each on a port with connections of its own: a flood of scrapes takes none from the kubelet.
 * Throws StartError.
 */
export async function servePages(deps: PagesDeps) {
  const { config, isReady } = deps;
  const stopping = new AbortController();
  const ports: Port[] = [];
  const close = async () => {
    stopping.abort();
    await Promise.all(ports.map((port) => port.close()));
  };
  try {
    const tls = await tlsOf(deps, stopping.signal);
    const metrics = await serve('metrics', config.metricsAddress, { '/metrics': pageOf(deps) }, { tls });
    ports.push(metrics);
    const health = await serve('health probes', config.healthAddress, {
      '/healthz': () => plain(200, 'ok'),
      '/readyz': () => (isReady() ? plain(200, 'ok') : plain(503, 'the caches are not filled yet')),
    });
    ports.push(health);
    return { metricsPort: metrics.port, healthPort: health.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function pageOf({ config, clock, log, client, metrics: { registry } }: PagesDeps): PageMaker {
  const rendering = shareRendering(() => renderInTurns(registry), clock);
  const page = atMost(MOST_RESPONSES, metricsPage(registry.contentType, rendering));
  // The token is reviewed first, so that clients without access take no place from the others.
  return config.metricsAuthentication ? authenticated(new TokenReviews(client, clock), log, page) : page;
}

async function tlsOf({ config, clock, log }: PagesDeps, signal: AbortSignal): Promise<ServerTls | undefined> {
  if (config.metricsTls === undefined) return undefined;
  try {
    return await followTlsFiles(config.metricsTls, { clock, log, signal });
  } catch (error) {
    throw new StartError(
      `metrics can't be served over TLS: ${messageOf(error)}; check --metrics-tls-cert-file and --metrics-tls-key-file`,
    );
  }
}
