/**
 * Certwheel beside cert-manager on one control plane, in turn: `make bench-peers`. An argument changes the number of
 * certificates.
 */
import { describeRequests } from '../audit-tail.ts';
import { startBenchWorld } from '../bench-world.ts';
import { describeMachine } from '../machine/figures.ts';
import { MachineWatch } from '../machine/watch.ts';
import { certManager } from './cert-manager.ts';
import { certwheel } from './certwheel.ts';
import { measureRound, type Round } from './round.ts';
import { peersTable } from './table.ts';

const COUNT = Number(process.argv[2] ?? 400);

const world = await startBenchWorld();
try {
  const [ours, theirs] = [await certwheel(world), await certManager(world)];
  const machine = new MachineWatch();
  machine.compute();
  const rounds: Round[] = [];
  // What the machine does meanwhile hits both alike.
  for (const [index, peer] of [ours, theirs, theirs, ours].entries()) {
    if (index === 2) machine.compute();
    const round = await measureRound(world, peer, `peers-${index}`, COUNT);
    rounds.push(round);
    console.log(`${peer.name}: ${round.seconds.toFixed(1)} s; ${describeRequests(round.requests, COUNT)}`);
  }
  machine.compute();
  console.log(`\n${peersTable(rounds, COUNT)}\n\n${describeMachine(machine.figures())}`);
} finally {
  await world.stop();
}
