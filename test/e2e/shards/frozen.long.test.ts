import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bugs, lines } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet, identityOf } from './fleet.ts';

const COUNT = 8;
/** What docs/scale.md promises. */
const TAKEOVER_MS = 20_000;

const shared = oneWorld();
test.after(shared.stop);

/** One of two is frozen in the middle of its work, and wakes when the other one has it. */
const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, 6, COUNT);
  const kubeconfig = await fleet.kubeconfig();
  const [frozen, other] = [
    await startController(kubeconfig, fleet.flags),
    await startController(kubeconfig, fleet.flags),
  ];
  await fleet.untilShared([frozen, other]);
  await fleet.fill(
    Array.from({ length: 20 }, (_, each) => `c${each}`),
    {},
  );
  await eventually('it is in the middle of it', () => lines(frozen.logs, 'signing').length > 5);
  frozen.signal('SIGSTOP');
  const tookMs = await fleet.untilHeldBy([other]);
  await fleet.untilReady();
  const identity = identityOf(frozen);
  frozen.signal('SIGCONT');
  await eventually('it takes part again', async () => {
    const owners = await fleet.owners();
    return identityOf(frozen) !== identity && owners.includes(identityOf(frozen));
  });
  const lives = [frozen.logs, other.logs];
  return { tookMs, faults: await fleet.faults(lives, 3_600_000), found: bugs(lives.flat()) };
});

test('what a frozen replica had is taken over', async () => {
  const { tookMs } = await story();
  console.log(`# taken over after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < TAKEOVER_MS, `${tookMs} ms`);
});

test('when it wakes, it goes on with nothing that it had begun, and takes part anew', async () => {
  const { faults, found } = await story();
  assert.equal(faults, []);
  assert.equal(found, []);
});

test.run();
