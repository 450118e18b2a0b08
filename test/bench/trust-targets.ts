/**
 * What it costs to write a trust bundle into many namespaces: requests, time and CPU of the controller, beside a program
 * that applies as many ConfigMaps and does nothing else.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS, NAMESPACES } from '../../src/api/names.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { type BenchWorld, type MeasuredController, startBenchWorld } from './bench-world.ts';
import { inLanes } from './processes.ts';
import { writesOf } from './writes.ts';

const COUNT = Number(process.argv[2] ?? 1_000);
const USER = 'bench-controller';
const HOME = 'bench-home';
const AT_ONCE = 8;
const REST_MS = 20_000;
const PATIENCE_MS = 300_000;

const world = await startBenchWorld();
try {
  await measure(world);
} finally {
  await world.stop();
}

async function measure({ client, cluster, ...rest }: BenchWorld): Promise<void> {
  const namespaces = Array.from({ length: COUNT }, (_, index) => `team-${index}`);
  await client.create(NAMESPACES, { metadata: { name: HOME } });
  await inLanes(namespaces, AT_ONCE, (name) =>
    client.create(NAMESPACES, { metadata: { name, labels: { gateway: 'true' } } } as never),
  );
  const kubeconfig = await cluster.kubeconfigFor(USER, ['system:masters']);
  const flags = ['--kubeconfig', kubeconfig, '--controller-namespace', HOME, '--trust-targets', 'configMaps'];
  const controller = await rest.controller(flags);
  await sleep(2_000);
  const selector = { matchLabels: { gateway: 'true' } };
  const targets = [{ name: 'gateways', configMap: { name: 'client-ca' }, namespaces: { selector } }];

  await phase(`written into ${COUNT} namespaces`, controller, async () => {
    await client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name: 'bench' },
      spec: { selfManaged: { commonName: 'Bench' }, trust: { targets } },
    });
    await eventually('all are written', async () => (await heldBy()) === COUNT, PATIENCE_MS, 100);
  });
  await sleep(2_000);
  console.log(`status of the authority: ${JSON.stringify(await statusOf()).length} bytes for its targets`);
  await phase(`at rest for ${REST_MS / 1000} s`, controller, () => sleep(REST_MS));
  await phase('one more namespace', controller, async () => {
    await client.create(NAMESPACES, { metadata: { name: 'one-more', labels: { gateway: 'true' } } } as never);
    await eventually('it is written', () => client.get(CONFIG_MAPS, 'one-more', 'client-ca'), PATIENCE_MS, 20);
  });
  await controller.stop();
  const again = await rest.controller(flags);
  await phase('after a restart, 10 s', again, () => sleep(10_000));
  await again.stop();

  const pem = (await client.get(CONFIG_MAPS, 'team-0', 'client-ca'))?.data?.['ca.crt'];
  const startedMs = performance.now();
  await inLanes(namespaces, AT_ONCE, (namespace) =>
    client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'floor' }, data: { 'ca.crt': pem } }),
  );
  console.log(`floor: ${COUNT} applies and nothing else took ${Math.round(performance.now() - startedMs)} ms`);

  async function phase(what: string, measured: MeasuredController, body: () => Promise<unknown>): Promise<void> {
    const [before, writes, fromMs] = [await measured.state(), await written(), performance.now()];
    await body();
    const tookMs = performance.now() - fromMs;
    await sleep(1_500);
    const [after, all] = [await measured.state(), await written()];
    const by = Object.entries(all)
      .map(([resource, count]) => `${resource} ${count - (writes[resource] ?? 0)}`)
      .join(', ');
    console.log(`${what}: ${Math.round(tookMs)} ms, CPU ${Math.round(after.cpuMs - before.cpuMs)} ms, writes: ${by}`);
  }

  async function statusOf() {
    const found = await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'bench');
    return (found?.status as { trust?: { targets: { holding: number }[] } } | undefined)?.trust;
  }

  async function heldBy(): Promise<number> {
    return (await statusOf())?.targets[0]?.holding ?? 0;
  }

  async function written(): Promise<Record<string, number>> {
    const { selfsubjectaccessreviews: _, ...counts } = await writesOf({ cluster }, USER);
    return { configmaps: 0, 'clustercertificateauthorities/status': 0, ...counts };
  }
}
