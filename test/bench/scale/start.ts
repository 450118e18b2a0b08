import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { MeasuredController } from '../bench-world.ts';
import { untilIssued } from '../rate.ts';
import {
  addSizes,
  addTraffic,
  createCertificates,
  type Fleet,
  type Known,
  moment,
  startKnown,
  startReplica,
  untilAtRest,
} from './fleet.ts';

const SCRAPES = 5;

/** Creates the certificates, while no controller runs. */
export async function create(fleet: Fleet): Promise<void> {
  const startedMs = performance.now();
  await createCertificates(fleet);
  fleet.rows.add('created a second', (1_000 * fleet.options.certificates) / (performance.now() - startedMs), '/s');
}

/** The first start: everything is to be issued. */
export async function issue(fleet: Fleet): Promise<void> {
  const { rows, options } = fleet;
  const known = await startKnown(fleet, 'bench-controller');
  const before = await moment(fleet, known);
  await untilIssued(known.controller, options.certificates);
  const seconds = (performance.now() - before.atMs) / 1_000;
  await untilAtRest(known.controller);
  const after = await moment(fleet, known);
  rows.add('issued a second', (options.certificates - before.state.rotations) / seconds, '/s');
  rows.add('controller CPU a certificate', after.state.cpuMs / options.certificates, 'ms');
  addTraffic(fleet, 'first start', after);
  await addSizes(fleet, known.controller);
  await known.controller.stop();
}

/** A restart, at which nothing is to be done. Answers the controller, which goes on. */
export async function restart(fleet: Fleet): Promise<Known> {
  const { rows, audit } = fleet;
  const requests = await audit.requests('bench-controller');
  const startedMs = performance.now();
  const known = await startReplica(fleet, 'bench-controller');
  rows.add('until synced', known.controller.syncedMs / 1_000, 's');
  const synced = await known.controller.state();
  rows.add('CPU until synced', synced.cpuMs / 1_000, 's');
  rows.add('resident memory when synced', synced.rssBytes / 1e6, 'MB');
  rows.add('until all are reconciled', ((await untilAtRest(known.controller)) - startedMs) / 1_000, 's');
  const after = await moment(fleet, known);
  if (after.state.rotations > 0) throw new Error(`a restart issued ${after.state.rotations} certificates`);
  rows.add('CPU until all are reconciled', after.state.cpuMs / 1_000, 's');
  addTraffic(fleet, 'start', after, { requests, bytesReceived: 0 });
  await addSizes(fleet, known.controller);
  return known;
}

/** A scrape at rest, as a Prometheus makes it, and plain. */
export async function scrape({ rows }: Fleet, controller: MeasuredController): Promise<void> {
  const { metricsPort, cpuMs } = await controller.state();
  controller.timeLoop();
  let bytes = { gzip: 0, identity: 0 };
  const startedMs = performance.now();
  for (let count = 0; count < SCRAPES; count += 1)
    bytes = { gzip: await bytesOf(metricsPort, 'gzip'), identity: await bytesOf(metricsPort, 'identity') };
  const scrapes = 2 * SCRAPES;
  const after = await controller.state();
  rows.add('bytes', bytes.identity / 1e3, 'kB');
  rows.add('bytes, compressed', bytes.gzip / 1e3, 'kB');
  rows.add('time', (performance.now() - startedMs) / scrapes, 'ms');
  rows.add('CPU', (after.cpuMs - cpuMs) / scrapes, 'ms');
  rows.add('longest turn of the event loop', after.loopDelayMaxMs, 'ms');
}

async function bytesOf(port: number, encoding: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { 'accept-encoding': encoding };
  get({ host: '127.0.0.1', port, path: '/metrics', headers, agent: false }, resolve).on('error', reject);
  return (await buffer(await promise)).length;
}
