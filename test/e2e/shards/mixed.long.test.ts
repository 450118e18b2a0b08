import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bugs, lines } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { type ControllerProcess, startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet } from './fleet.ts';

const COUNT = 8;
/** Longer than a replica takes to see that it may act, and shorter than the Lease of those before runs out. */
const WATCHED_MS = 8_000;

const shared = oneWorld();
test.after(shared.stop);

const takesPart = ({ logs }: ControllerProcess) => lines(logs, 'takes part in the shards').length > 0;
const leads = ({ logs }: ControllerProcess) => lines(logs, 'became the leader').length > 0;

/** An upgrade from leader election to shards, to another number of shards, and back; each time both kinds run for a while. */
const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, 2, COUNT);
  const kubeconfig = await fleet.kubeconfig();
  const start = (flags: readonly string[]) => startController(kubeconfig, flags);
  const elected = [...fleet.placeFlags, '--leader-elect'];
  const early: string[] = [];
  /** While the former one lives, the next must do nothing; then it must act. */
  const follow = async (former: ControllerProcess, next: ControllerProcess, acts: typeof leads) => {
    await sleep(WATCHED_MS);
    if (acts(next) || lines(next.logs, 'signing').length > 0) early.push(`${next.pid} beside ${former.pid}`);
    assert.is(await former.stop(), 0);
    await eventually('the next one acts', () => acts(next));
  };

  const leader = await start(elected);
  await fleet.fill(['first'], {});
  await fleet.untilReady();
  const shards = await start(fleet.flags);
  await follow(leader, shards, takesPart);
  await fleet.fill(['second'], {});
  await fleet.untilReady();

  const fewer = await start([...fleet.placeFlags, '--shards=3']);
  await follow(shards, fewer, takesPart);
  await fleet.fill(['third'], {});
  await fleet.untilReady();

  const again = await start(elected);
  await follow(fewer, again, leads);
  await fleet.fill(['fourth'], {});
  await fleet.untilReady();
  const lives = [leader, shards, fewer, again].map(({ logs }) => logs);
  return {
    early,
    faults: await fleet.faults(lives),
    signed: lives.map((logs) => lines(logs, 'signing').length),
    found: bugs(lives.flat()),
  };
});

test('a leader, replicas with shards and replicas with another number of shards never act together', async () => {
  const { early } = await story();
  assert.equal(early, []);
});

test('each of them goes on where the one before stopped, and issues nothing anew', async () => {
  const { faults, signed, found } = await story();
  assert.equal(faults, []);
  assert.equal(signed, [2, 2, 2, 2]);
  assert.equal(found, []);
});

test.run();
