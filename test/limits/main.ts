/**
 * One tenant's flood within the memory of the chart, and what another tenant notices of it: `make test-limits` (root, Linux,
 * 8 minutes). Prints the figures; fails if the kernel killed the controller, or if rotations came late.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from 'js-yaml';
import { ENVIRONMENT, NODE_FLAGS } from '../../tools/runtime.ts';
import { startBenchWorld } from '../bench/bench-world.ts';
import { flood } from './flood.ts';
import { makeMemoryGroup } from './memory-group.ts';

const VALUES = `${import.meta.dirname}/../../helm/certwheel/values.yaml`;
const MEBIBYTE = 1_048_576;
const CERTIFICATES = 300;
/** Due after half of it. */
const DURATION = '2m';
const WINDOW_MS = 120_000;
/** Of the bounds of the histogram: a rotation that is later is felt. */
const LATEST_SECONDS = 10;

const { memory } = (load(readFileSync(VALUES, 'utf8')) as { resources: { limits: { memory: string } } }).resources
  .limits;
const limitBytes = Number(/^(\d+)Mi$/.exec(memory)?.[1]) * MEBIBYTE;
const group = makeMemoryGroup(`certwheel-limits-${process.pid}`, limitBytes);
const world = await startBenchWorld();
console.log(`within ${memory}`);
const lines: string[] = [];
let failed = false;
try {
  await world.namespace('victim');
  await world.namespace('attacker');
  const names = Array.from({ length: CERTIFICATES }, (_, index) => `v-${index}`);
  await world.create('victim', names, { duration: DURATION });
  let controller = await start();
  // The first issue of all of them is no rotation of a routine.
  await sleep(WINDOW_MS / 2);
  await measure('without the flood', controller);
  await flood(world.client, 'attacker', (line) => console.log(`created ${line}`));
  await measure('with the flood', controller);
  await controller.stop();
  controller = await start();
  // What came due while nobody acted is late whatever there is.
  await sleep(WINDOW_MS / 4);
  await measure('after a restart into the flood', controller);
  await controller.stop();
  console.log(`\n${lines.join('\n')}\n${controller.logLines()} log lines after the restart`);
} finally {
  await world.stop();
  group.remove();
}
process.exit(failed ? 1 : 0);

async function start() {
  const [program, args] = group.command(process.execPath, [
    ...NODE_FLAGS,
    `${import.meta.dirname}/../../src/main.ts`,
    ...['--kubeconfig', world.cluster.kubeconfigPath, '--log-format', 'json'],
    ...['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'],
  ]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...ENVIRONMENT } });
  const exited = once(child, 'exit');
  const startedMs = performance.now();
  let port: number | undefined;
  let isSynced = false;
  let count = 0;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    count += text.split('\n').length - 1;
    port ??= Number(/"metricsPort":(\d+)/.exec(text)?.[1]) || undefined;
    isSynced ||= text.includes('"in sync"');
    if (process.env.DEBUG) process.stderr.write(text);
  });
  while (!isSynced && child.exitCode === null && child.signalCode === null) await sleep(100);
  console.log(`in sync after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  return {
    /** Lateness of rotations so far: how many there were up to each bound, in seconds. */
    lateness: async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const found = text.matchAll(/^certwheel_rotation_lateness_seconds_bucket\{le="([^"]+)"[^}]*\} (\d+)$/gm);
      return new Map([...found].map(([, bound = '', rotations]) => [bound, Number(rotations)]));
    },
    logLines: () => count,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function measure(what: string, controller: Awaited<ReturnType<typeof start>>): Promise<void> {
  try {
    const before = await controller.lateness();
    await sleep(WINDOW_MS);
    const after = await controller.lateness();
    const counts = [...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const);
    const all = counts.at(-1)?.[1] ?? 0;
    const p99 = counts.find(([, count]) => count >= 0.99 * all)?.[0] ?? 'none';
    lines.push(
      `${what}: ${all} rotations, p99 late by at most ${p99} s, ${Math.round(group.peak() / MEBIBYTE)} MiB at most, ${group.kills()} kills`,
    );
    if (all < CERTIFICATES || Number(p99) > LATEST_SECONDS || p99 === '+Inf' || group.kills() > 0) failed = true;
  } catch (error) {
    lines.push(`${what}: ${(error as Error).message}, ${group.kills()} kills`);
    failed = true;
  }
  console.log(lines.at(-1));
}
