import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';
import { parseMetrics } from '../process/support/metrics.ts';
import { SHOWN } from '../support/controller-of-many.ts';
import { portOf, startController } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { eventually, oneWorld } from '../support/world.ts';

// The attack: a Pod of the cluster requests metrics over many connections and doesn't read the responses, each of 9 MB with
// 20,000 certificates; or it opens as many connections as it can, without a request.

const shared = oneWorld();
test.after(shared.stop);

const PROGRAM = `${import.meta.dirname}/../support/controller-of-many.ts`;
const READERS = 40;
const HELD = 300;
const MB = 2 ** 20;
/** Four responses of 9 MB in flight, one rendering, and garbage: 40 MB as measured. One rendering for each reader takes 1 GB. */
const MOST_GROWTH = 150 * MB;

const scene = lazily(async () => {
  const { cluster } = await shared.get();
  const controller = await startController(cluster.kubeconfigPath, [], PROGRAM);
  const [metrics, health] = [portOf(controller.logs, 'metricsPort'), portOf(controller.logs, 'healthPort')].map(Number);
  const open = (port = metrics): Socket => {
    const socket = connect(port ?? 0, '127.0.0.1').on('error', () => {});
    onStop(() => socket.destroy());
    return socket;
  };
  return {
    controller,
    open,
    health,
    probe: async (path: string) => (await fetch(`http://127.0.0.1:${health}${path}`)).status,
    scrape: () => fetch(`http://127.0.0.1:${metrics}/metrics`),
    peakBytes: () => {
      const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${controller.pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) * 1024;
    },
    descriptors: () => readdirSync(`/proc/${controller.pid}/fd`).length,
  };
});

/** Probes as the kubelet sends them, several in a row. */
async function provesProbes(probe: (path: string) => Promise<number>): Promise<void> {
  for (let round = 0; round < 10; round += 1)
    for (const path of ['/healthz', '/readyz']) assert.is(await probe(path), 200);
}

/** A scrape succeeds, with every series, as soon as a place is free. */
async function provesScrape(scrape: () => Promise<Response>): Promise<void> {
  const text = await eventually('a scrape is answered', async () => {
    const answer = await scrape();
    const body = await answer.text();
    return answer.ok && body;
  });
  const { samples } = parseMetrics(text);
  assert.is(samples.filter(({ name }) => name === 'certwheel_certificate_ready').length, SHOWN);
}

/** Sends a request, and reads the status of the response, and nothing more. */
async function statusFor(socket: Socket): Promise<number> {
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(socket.read(12)))?.[1]);
}

test('control: probes succeed, and so does a scrape of 20,000 certificates', async () => {
  const { scrape, probe } = await scene.get();
  await provesScrape(scrape);
  const answer = await scrape();
  // fetch sends Accept-Encoding by itself.
  assert.is(answer.headers.get('content-encoding'), 'gzip');
  await answer.arrayBuffer();
  await provesProbes(probe);
});

test('40 clients that do not read take bounded memory, and hold up neither probes nor later scrapes', async () => {
  const { open, probe, scrape, peakBytes } = await scene.get();
  const before = peakBytes();
  const readers = Array.from({ length: READERS }, () => open());
  const statuses = await Promise.all(readers.map(statusFor));
  const answered = statuses.filter((status) => status === 200).length;
  // Some do get a response that they don't read; the others get 503.
  assert.ok(answered > 0 && answered < READERS, `${answered} were answered`);
  assert.is(statuses.filter((status) => status === 503).length, READERS - answered);
  await provesProbes(probe);
  // They still don't read.
  await provesScrape(scrape);
  const growth = peakBytes() - before;
  assert.ok(growth < MOST_GROWTH, `memory grew by ${Math.round(growth / MB)} MB`);
  for (const socket of readers) socket.destroy();
});

test('300 connections to each port without a request take bounded descriptors, and hold up neither probes nor scrapes', async () => {
  const { open, health, probe, scrape, descriptors } = await scene.get();
  const before = descriptors();
  const held = Array.from({ length: HELD }, () => [open(), open(health)]).flat();
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  await provesProbes(probe);
  // Accepted after all of them, so by now none of them is still in the backlog.
  await provesScrape(scrape);
  const taken = descriptors() - before;
  assert.ok(taken < HELD / 2, `${taken} more descriptors are open`);
});

test.run();
