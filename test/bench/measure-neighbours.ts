import type { BenchWorld } from './bench-world.ts';
import type { Results } from './figures.ts';
import { names, rotateAll, untilIssued } from './rate.ts';

/** The rate of certificates behind a fast authority, alone and beside as many behind one that takes 5 s to answer. */
export async function measureNeighbours(world: BenchWorld, count: number): Promise<Results> {
  const args = ['--namespaces', 'fast,slow'];
  await world.namespace('fast');
  await world.namespace('slow');
  const issuing = await world.controller(args);
  await world.create('fast', names('c', count));
  await untilIssued(issuing, count);
  const alone = [(await rotateAll(issuing, count)).perSecond, (await rotateAll(issuing, count)).perSecond];
  // The first certificates of the slow one never come to an end here: 5 s for each of 16 at a time.
  await world.create('slow', names('s', count));
  const beside = [(await rotateAll(issuing, count)).perSecond, (await rotateAll(issuing, count)).perSecond];
  await issuing.stop();
  return { slowNeighbour: { value: Math.max(...beside) / Math.max(...alone) } };
}
