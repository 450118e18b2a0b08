/** A CA that was made, and began to sign, while the clock of the controller was ahead. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { RUN } from '../../test/unit/builders.ts';
import { member, step, TERMS } from '../../test/unit/planned-rotation.ts';
import { rotationScene } from '../../test/unit/rotation-scene.ts';
import type { CaPair } from '../pki/ca.ts';
import { afterMove } from './after-step.ts';
import { type Generation, type LivingState, signingGeneration } from './generation.ts';
import { planRotation } from './plan.ts';
import { readSource } from './source.ts';

const HOURS_AHEAD = 500;
const former = pairOf(await root({ commonName: 'v1', notAfter: hoursFromNow(2_000) }));
const early = pairOf(
  await root({ commonName: 'v2', notBefore: hoursFromNow(HOURS_AHEAD), notAfter: hoursFromNow(3_000) }),
);
const STATES: readonly [LivingState, LivingState][] = [
  ['Active', 'Pending'],
  ['Active', 'Prepared'],
  ['Active', 'Trusted'],
  ['Active', 'Active'],
  ['Retiring', 'Active'],
];

function made(version: number, state: LivingState, pair: CaPair, createdHours: number): Generation {
  return aGeneration(version, state, pair, { since: hoursFromNow(-1), created: hoursFromNow(createdHours) });
}

/** Plays the rotation for so many hours; answers what signs at the end of each. */
function play(generations: readonly Generation[], hours: number): (number | undefined)[] {
  let all = generations;
  return Array.from({ length: hours }, (_, hour) => {
    const now = hoursFromNow(hour);
    for (let taken = 0; taken < 8; taken++) {
      const next = planRotation(
        {
          generations: all,
          source: 'secret',
          wanted: early.id,
          members: [
            member('ns/a', former, 'bundle', hoursFromNow(4_000)),
            member('ns/b', early, 'bundle', hoursFromNow(4_000)),
          ],
          trustBundleHash: 'bundle',
          terms: { ...TERMS, propagationMs: 0 },
          longestLifeMs: undefined,
          proofs: () => [],
        },
        now,
      ).step;
      if (next.do === 'settle') break;
      if (next.do === 'create') {
        // It left as long as it was not to sign.
        all = [...all, made(2, next.state, early, hour)];
        continue;
      }
      const others = all.filter(({ version }) => version !== next.generation.version);
      if (next.do === 'retire') all = others;
      else all = [...others, next.do === 'move' ? afterMove(next, now) : next.generation];
    }
    return signingGeneration(all, now)?.version;
  });
}

for (const [one, two] of STATES)
  test(`where the former CA is ${one} and the early one ${two}, the former signs until the early one is valid`, () => {
    const signing = play([made(1, one, former, -100), made(2, two, early, -1)], HOURS_AHEAD + 5);
    assert.equal([...new Set(signing.slice(0, HOURS_AHEAD - 1))], [1]);
    assert.is(signing.at(-1), 2);
  });

test('a clock that is behind takes no CA for early, and keeps the one that signs', () => {
  const signs = [made(1, 'Retiring', former, -100), made(2, 'Active', early, HOURS_AHEAD)];
  assert.is(signingGeneration(signs, NOW)?.version, 2);
  assert.is(step(signs, early, [member('ns/a', early)]), 'note 1');
});

test('a source that makes its CA itself is asked for a successor of the one that is valid', async () => {
  const { runtime, asked, deps } = rotationScene([made(1, 'Active', former, -100), made(2, 'Retiring', early, -1)]);
  Object.assign(runtime.backend, { makesCA: true });
  await readSource(runtime, 3, deps, RUN);
  assert.equal(asked, [[former, 3]]);
});

test.run();
