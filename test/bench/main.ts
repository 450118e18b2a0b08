/**
 * Measures Certwheel on a real control plane: `make bench`, or `make bench-quick`, which takes three minutes and fails on
 * counts alone. Prints the table and the speed of the machine, writes bench-results.json (and, in full, docs/performance.svg).
 */
import { writeFileSync } from 'node:fs';
import { type BenchWorld, startBenchWorld } from './bench-world.ts';
import { missed, type Results, table } from './figures.ts';
import { describeMachine } from './machine/figures.ts';
import { MachineWatch } from './machine/watch.ts';
import { type Growth, measureForeign, measureIdle, measureMany, measureSpread, populate } from './measure-many.ts';
import { measureNeighbours } from './measure-neighbours.ts';
import { measureScrape } from './measure-scrape.ts';
import { measureLatency, measureRate, measureRequests } from './measure-steady.ts';
import { drawGrowth } from './picture.ts';

const ROOT = `${import.meta.dirname}/../..`;
const quick = process.argv.includes('--quick');
const startedMs = performance.now();

/** Memory and the time of a start vary by a tenth from one to the next; the figures of the table are medians. */
const STARTS = 3;

const results: Results = {};
const growth: Growth[] = [];
const floorRates: number[] = [];
const machine = new MachineWatch();
machine.compute();
await onItsOwn(async (world) => {
  await measure('start and memory at rest', () => measureIdle(world, quick ? 1 : 5));
  await measure('requests a rotation', () => measureRequests(world));
  await measure('create to Ready', () => measureLatency(world, quick ? 100 : 300));
  await measure('rate against the floor writer', async () => {
    const rate = await measureRate(world, quick ? 300 : 1_000, quick ? 1 : 5);
    floorRates.push(...rate.floorRates);
    return rate.results;
  });
  if (!quick) await measure('a slow authority beside a fast one', () => measureNeighbours(world, 1_000));
});
machine.compute();
await measure('a scrape of 20,000 certificates', measureScrape);
const idleMb = results.idleMemory?.value ?? 0;
if (!quick) {
  await onItsOwn((world) => measureGrowth(world, 1));
  await onItsOwn((world) => measureGrowth(world, 100));
  await onItsOwn((world) => measure('foreign Secrets', () => measureForeign(world)));
}

machine.compute();
const machineFigures = machine.figures(floorRates);

console.log(`\n${table(results)}\n`);
for (const { certificates, namespaces, perSecond, memoryMb, syncedSeconds } of growth)
  console.log(
    `${certificates} certificates in ${namespaces} namespaces: ${perSecond.toFixed(0)} rotations/s, ${memoryMb.toFixed(0)} MB, synced in ${syncedSeconds.toFixed(1)} s`,
  );
console.log(describeMachine(machineFigures));
console.log(`took ${Math.round((performance.now() - startedMs) / 1000)} s`);
writeFileSync(
  `${ROOT}/bench-results.json`,
  `${JSON.stringify({ results, growth, machine: machineFigures }, undefined, 2)}\n`,
);
if (growth.length > 0) writeFileSync(`${ROOT}/docs/performance.svg`, drawGrowth(growth));

const failures = missed(results, quick ? ['count'] : ['count', 'measure']);
if (failures.length > 0) console.error(`missed: ${failures.join(', ')}`);
process.exit(failures.length > 0 ? 1 : 0);

/** A control plane of its own, so that nothing of what was measured before is in the way. */
async function onItsOwn(run: (world: BenchWorld) => Promise<void>): Promise<void> {
  const world = await startBenchWorld();
  try {
    await run(world);
  } finally {
    await world.stop();
  }
}

async function measure(what: string, run: () => Promise<Results>): Promise<void> {
  console.log(`${new Date().toISOString().slice(11, 19)} ${what}`);
  Object.assign(results, await run());
}

/** 100, 1,000 and 10,000 certificates; the figures of the table are those of the most, in one namespace. */
async function measureGrowth(world: BenchWorld, namespaces: number): Promise<void> {
  let before = 0;
  for (const count of [100, 1_000, 10_000]) {
    await measure(
      `${count} certificates in ${namespaces === 1 ? 'one namespace' : `${namespaces} namespaces`}`,
      async () => {
        await populate(world, 'many', namespaces, before, count);
        const isTable = count === 10_000 && namespaces === 1;
        const spread = isTable ? await measureSpread(world, 'many-0') : {};
        const { growth: grown, results: found } = await measureMany(
          world,
          'many',
          count,
          namespaces,
          idleMb,
          isTable ? STARTS : 1,
        );
        growth.push(grown);
        const full =
          growth.find((each) => each.certificates === 1_000 && each.namespaces === 1)?.perSecond ?? grown.perSecond;
        return isTable ? { ...found, ...spread, stormRate: { value: grown.perSecond / full } } : {};
      },
    );
    before = count;
  }
}
