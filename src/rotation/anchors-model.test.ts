/**
 * Random histories of a machine that decides by itself which of its CAs signs: no workload ever refuses what another one shows,
 * no CA leaves while a valid certificate of it is held, and every history ends.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { AnchorsWorld } from '../../test/unit/anchors-world.ts';
import { after, DAY } from '../../test/unit/builders.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);
const RUNS = Number(process.env.RUNS ?? 12);
const MEMBERS = 3;
/** Longer than the life of a certificate, and what its renewal may wait for. */
const END_S = 2 * 1_200 + 600;

const life = { notBefore: after(-400 * DAY), notAfter: after(4_000 * DAY) };
const cas = await Promise.all(['one', 'two', 'three'].map((commonName) => root({ commonName, ...life })));
const caOf = (number: number) => cas[number % cas.length] ?? assert.unreachable();

type Action = (world: AnchorsWorld, number: number) => Promise<void> | void;

const ACTIONS: Readonly<Record<string, Action>> = {
  'signs with another one beside the former': (world, number) => world.swap(caOf(number) as never, false),
  'signs with another one alone': (world, number) => world.swap(caOf(number) as never, true),
  'states the one that signs alone': (world) => world.swap(world.signer, true),
  'states another one alone, and signs with the former one': (world, number) => {
    world.stated = [caOf(number) as never];
  },
  'renews a certificate': (world, number) => {
    const member = world.members[number % MEMBERS];
    member?.edit({ metadata: { annotations: { 'certwheel.io/renew-at': member.clock.now().toISOString() } } });
  },
  'suspends a certificate, or ends that': (world, number) => world.suspend(number, number % 2 === 0),
  'brings a workload anew': (world, number) => world.renew(number),
  'restarts the controller': (world) => {
    for (const each of world.members) each.restart();
  },
  'lets time go by': (world, number) => world.pass(5 + (number % 40) * 5),
};

const history = fc.array(fc.tuple(fc.constantFrom(...Object.keys(ACTIONS)), fc.nat({ max: 1_000 })), {
  minLength: 12,
  maxLength: 30,
});

test('no workload refuses what another one shows, and every history ends', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (actions) => {
      const world = new AnchorsWorld(caOf(0) as never, MEMBERS);
      await world.pass(150);
      for (const [name, number] of actions) {
        await ACTIONS[name]?.(world, number);
        await world.tick();
      }
      for (let index = 0; index < MEMBERS; index++) world.suspend(index, false);
      world.swap(world.stated[0] ?? world.signer, true);
      await world.pass(END_S);
      assert.ok(world.isOver, JSON.stringify(world.generations.map(({ version, state }) => [version, state])));
    }),
    { seed, numRuns: RUNS },
  );
});

test.run();
