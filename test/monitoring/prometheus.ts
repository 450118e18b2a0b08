import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGuard } from '../cluster/guard.ts';
import { freePort } from '../cluster/ports.ts';
import { LogPart, retryWhilePortTaken, waitUntilReady } from '../cluster/ready.ts';
import { onStop } from '../teardown.ts';
import { prometheusPrograms } from './programs.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** The answer to an instant query, now. Throws with Prometheus' own words. */
  query(expr: string): Promise<readonly Sample[]>;
  get(path: string): Promise<unknown>;
}

/** A real Prometheus on loopback that scrapes and judges every second; it ends with the test file. */
export async function startPrometheus(
  targets: readonly string[],
  rules: string,
  metricsPath = '/metrics',
): Promise<Prometheus> {
  const { prometheus } = await prometheusPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-prometheus-'));
  const guard = startGuard(folder, { removeFolder: true });
  onStop(async () => {
    await guard.close();
    rmSync(folder, { recursive: true, force: true });
  });
  // JSON is YAML.
  const configuration = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    // As docs/monitoring.md tells people to scrape: the labels of the metrics win.
    scrape_configs: [
      { job_name: 'certwheel', metrics_path: metricsPath, honor_labels: true, static_configs: [{ targets }] },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yaml'), JSON.stringify(configuration));
  const port = await retryWhilePortTaken(5, async () => {
    const own = await freePort();
    const log = new LogPart(join(folder, 'prometheus.log'));
    const started = guard.run('prometheus', prometheus, flags(folder, own), { folder, logPath: log.path });
    await waitUntilReady(started, log, async () => (await fetch(`http://127.0.0.1:${own}/-/ready`)).ok);
    return own;
  });
  return api(`http://127.0.0.1:${port}`);
}

function flags(folder: string, port: number): string[] {
  return [
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
    }[];
  };
}

function api(origin: string): Prometheus {
  const get = async (path: string) => (await fetch(`${origin}${path}`)).json();
  return {
    get,
    query: async (expr) => {
      const answer = (await get(`/api/v1/query?${new URLSearchParams({ query: expr })}`)) as Answer;
      if (answer.status !== 'success') throw new Error(`${answer.error} in ${expr}`);
      return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value?.[1]) }));
    },
  };
}
