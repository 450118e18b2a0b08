/**
 * What it costs to replace the CA of many certificates: time by state, requests and CPU of the controller, beside a program
 * that makes four writes a certificate and does nothing else.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthorityStatus } from '../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, ROTATE_CA_ANNOTATION, SECRETS } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { untilNextSecond } from '../e2e/support/moments.ts';
import { type BenchWorld, startBenchWorld } from './bench-world.ts';
import { casIn } from './certificates-in.ts';
import { pagesOf } from './expiry-order.ts';
import { names, untilIssued } from './rate.ts';
import { writesOf } from './writes.ts';

const COUNT = Number(process.argv[2] ?? 10_000);
const FLOOR_COUNT = Math.min(COUNT, 1_000);
const USER = 'bench-controller';
const NAMESPACE = 'replaced';
const WORKERS = '32';
const PATIENCE_MS = 3_600_000;
/** ca.crt with both CAs, another certificate with its status, ca.crt with the new CA alone. */
const WRITES = 4;
const WRITES_OF_FLOOR = 2;

const world = await startBenchWorld();
try {
  await measure(world);
} finally {
  await world.stop();
}

async function measure({ client, cluster, ...rest }: BenchWorld): Promise<void> {
  await rest.namespace('floor');
  await rest.namespace(NAMESPACE);
  const caRotation = { soak: '0s', propagation: '0s', retireAfter: '0s', reissue: { requests: 1_000, per: '1s' } };
  await patchAuthority({ spec: { caRotation } });
  const preparing = await rest.controller(['--workers', WORKERS]);
  await rest.create('floor', names('f', FLOOR_COUNT));
  await rest.create(NAMESPACE, names('m', COUNT));
  await untilIssued(preparing, FLOOR_COUNT + COUNT);
  await preparing.stop();

  const floor = await rest.floor('floor', 16);
  const first = await floor.round();
  const kubeconfig = await cluster.kubeconfigFor(USER, ['system:masters']);
  const controller = await rest.controller([
    '--kubeconfig',
    kubeconfig,
    '--namespaces',
    NAMESPACE,
    '--workers',
    WORKERS,
  ]);
  await untilNextSecond();
  const before = await controller.state();
  const fromMs = performance.now();
  await patchAuthority({ metadata: { annotations: { [ROTATE_CA_ANNOTATION]: new Date().toISOString() } } });
  await reaches(2, 'Prepared');
  await reaches(2, 'Active');
  await reaches(1, 'Retired');
  await eventually('every ca.crt holds the new CA alone', async () => (await behind()) === 0, PATIENCE_MS, 1_000);
  const tookMs = performance.now() - fromMs;
  const after = await controller.state();
  await sleep(2_000);
  await controller.stop();
  const last = await floor.round();
  await floor.stop();

  const floorMs = ((WRITES / WRITES_OF_FLOOR) * COUNT * 1_000 * (first.seconds + last.seconds)) / (2 * FLOOR_COUNT);
  const written = await writesOf({ cluster }, USER);
  console.log(`${COUNT} certificates: ${seconds(tookMs)} until the former CA is in no ca.crt`);
  console.log(
    `${WRITES} writes a certificate and nothing else: ${seconds(floorMs)} (ratio ${(floorMs / tookMs).toFixed(2)})`,
  );
  console.log(
    `CPU a certificate ${((after.cpuMs - before.cpuMs) / COUNT).toFixed(2)} ms, memory ${Math.round(after.rssBytes / 1e6)} MB`,
  );
  console.log(
    `writes a certificate: ${Object.entries(written)
      .map(([what, number]) => `${what} ${(number / COUNT).toFixed(3)}`)
      .join(', ')}`,
  );

  async function reaches(version: number, state: string): Promise<void> {
    const passed = ['Pending', 'Prepared', 'Trusted', 'Active', 'Retiring', 'Retired'];
    await eventually(
      `generation ${version} is ${state}`,
      async () => {
        const found = (await statusOf()).generations?.find((each) => each.version === version)?.state ?? '';
        return passed.indexOf(found) >= passed.indexOf(state);
      },
      PATIENCE_MS,
      100,
    );
    console.log(`${seconds(performance.now() - fromMs)}: generation ${version} is ${state}`);
  }

  async function statusOf(): Promise<AuthorityStatus> {
    return ((await client.get(CERTIFICATE_AUTHORITIES, NAMESPACE, 'ca'))?.status ?? {}) as AuthorityStatus;
  }

  /** Secrets whose ca.crt holds more than one CA. */
  async function behind(): Promise<number> {
    const wanted = { namespace: NAMESPACE, labelSelector: 'certwheel.io/certificate-name' };
    let count = 0;
    for await (const page of pagesOf(client, SECRETS, wanted))
      count += page.filter(({ data = {} }) => casIn(data['ca.crt']) !== 1).length;
    return count;
  }

  async function patchAuthority(change: object): Promise<void> {
    const found = await client.get(CERTIFICATE_AUTHORITIES, NAMESPACE, 'ca');
    const { metadata = {}, spec } = (found ?? {}) as RawObject;
    const { metadata: more = {}, ...others } = change as { metadata?: object; spec?: object };
    const { namespace, name } = metadata as { namespace: string; name: string };
    const object = { metadata: { namespace, name, ...more }, spec: { ...(spec as object), ...others.spec } };
    await client.apply(CERTIFICATE_AUTHORITIES, object);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
