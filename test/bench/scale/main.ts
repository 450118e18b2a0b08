/**
 * One authority with very many certificates, in namespaces of 100: `make bench-scale`. Prints a table, and writes each figure
 * to the file given by --out as soon as it is measured.
 */
import { AuditTail } from '../audit-tail.ts';
import { startBenchWorld } from '../bench-world.ts';
import { describeMachine } from '../machine/figures.ts';
import { MachineWatch } from '../machine/watch.ts';
import { fallDue } from './due.ts';
import { failover } from './failover.ts';
import { type Fleet, prepareFleet } from './fleet.ts';
import { scaleOptions } from './options.ts';
import { replaceCa } from './replace-ca.ts';
import { Rows } from './rows.ts';
import { create, issue, restart, scrape } from './start.ts';

/**
 * For etcd; its default of 2 GB would be full before the end. What the API server compacts every five minutes is used again,
 * but the file doesn't shrink.
 */
process.env.ETCD_QUOTA_BACKEND_BYTES = String(16 * 2 ** 30);

const options = scaleOptions(process.argv.slice(2));
const { certificates, namespaces, share } = options;
const rows = new Rows(options.out, { certificates, namespaces, share, started: new Date().toISOString() });
const machine = new MachineWatch();
machine.compute();
const world = await startBenchWorld();
try {
  const fleet: Fleet = { options, world, rows, audit: new AuditTail(world.cluster) };
  await prepareFleet(fleet);
  await rows.phase('create', () => create(fleet));
  await rows.phase('issue', () => issue(fleet));
  const leader = await rows.phase('start', () => restart(fleet));
  await rows.phase('scrape', () => scrape(fleet, leader.controller));
  await rows.phase('failover', () => failover(fleet, leader));
  machine.compute();
  await rows.phase('CA rotation', () => replaceCa(fleet));
  await rows.phase('due', () => fallDue(fleet));
} finally {
  machine.compute();
  rows.note('machine', machine.figures());
  console.log(`\n${rows.table()}\n\n${describeMachine(machine.figures())}`);
  await world.stop();
}
