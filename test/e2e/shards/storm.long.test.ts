/** Three replicas under load, of which one after the other is killed, frozen, cut off, stopped, or has its clock set back. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FaultProxy, startFaultProxy } from '../kube/fault-proxy.ts';
import { seededRandom } from '../process/support/chance.ts';
import { bugs, lines } from '../process/support/fleet.ts';
import { type ControllerProcess, type LogLine, startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet } from './fleet.ts';

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const STORM_MS = Number(process.env.STORM_SECONDS ?? 100) * 1_000;
const COUNT = 64;
const NAMESPACES = 12;
const REPLICAS = 3;
/** None of the certificates is due before. */
const HOUR_MS = 3_600_000;
const PROGRAM = `${import.meta.dirname}/jumping-clock.ts`;
console.log(`# SEED=${SEED}`);

const shared = oneWorld();
test.after(shared.stop);

type Start = (kubeconfig: string) => Promise<ControllerProcess>;

/** A place in the Deployment: what ends in it is started again. */
class Place {
  replica: ControllerProcess;
  #isBehind = true;
  readonly #proxy: FaultProxy;
  readonly #start: Start;

  private constructor(proxy: FaultProxy, replica: ControllerProcess, start: Start) {
    this.#proxy = proxy;
    this.replica = replica;
    this.#start = start;
  }

  static async of(kubeconfig: string, start: Start): Promise<Place> {
    const proxy = await startFaultProxy(kubeconfig);
    return new Place(proxy, await start(proxy.kubeconfigPath), start);
  }

  async start(): Promise<void> {
    this.replica = await this.#start(this.#proxy.kubeconfigPath);
    this.#isBehind = true;
  }

  async killed(): Promise<void> {
    await this.replica.kill();
    await this.start();
  }

  async stopped(): Promise<void> {
    assert.is(await this.replica.stop(), 0);
    await this.start();
  }

  async frozen(ms: number): Promise<void> {
    this.replica.signal('SIGSTOP');
    await sleep(ms);
    this.replica.signal('SIGCONT');
  }

  async cutOff(ms: number): Promise<void> {
    for (const pipe of this.#proxy.watches()) pipe.freeze();
    const reconnect = this.#proxy.when(() => true, { kind: 'hang' }, { times: 1_000_000 });
    await sleep(ms);
    reconnect();
    for (const pipe of this.#proxy.watches()) pipe.cut();
  }

  jumped(): void {
    this.#isBehind = !this.#isBehind;
    this.replica.signal('SIGUSR2');
  }

  setRight(): void {
    if (this.#isBehind) this.jumped();
  }
}

test('in a storm no certificate is issued twice for one reason, none is left out, and all ranges have an owner', async () => {
  const random = seededRandom(SEED);
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const lives: (readonly LogLine[])[] = [];
  const start = async (kubeconfig: string) => {
    const replica = await startController(kubeconfig, fleet.flags, PROGRAM);
    lives.push(replica.logs);
    return replica;
  };
  const places: Place[] = [];
  for (let each = 0; each < REPLICAS; each++) places.push(await Place.of(world.cluster.kubeconfigPath, start));
  const endMs = performance.now() + STORM_MS;
  const load = async () => {
    for (let batch = 0; performance.now() < endMs; batch++) {
      await fleet.fill([`s${batch}`], {});
      await sleep(3_000);
    }
  };
  const strike = async () => {
    while (performance.now() < endMs) {
      const place = places[Math.floor(random() * REPLICAS)] as Place;
      const chance = random();
      const ms = 3_000 + 25_000 * random();
      if (chance < 0.3) await place.killed();
      else if (chance < 0.5) await place.frozen(ms);
      else if (chance < 0.7) await place.cutOff(ms);
      else if (chance < 0.85) await place.stopped();
      else place.jumped();
      await sleep(5_000 * random());
    }
  };
  await Promise.all([load(), strike()]);
  // By a clock that is behind, what others have issued is not valid yet.
  for (const place of places) place.setRight();
  await fleet.untilHeldBy(places.map(({ replica }) => replica));
  await fleet.untilReady();
  assert.equal(await fleet.faults(lives, HOUR_MS), []);
  assert.equal(bugs(lives.flat()), []);
  const takeovers = lives.flatMap((logs) => lines(logs, 'a replica is dead; its ranges are free'));
  await eventually('it was a storm', () => takeovers.length > 0);
});

test.run();
