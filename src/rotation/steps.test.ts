/** One step of a CA rotation: which write, which event, which trouble. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { another, stored } from '../../test/unit/authority-world.ts';
import { MINUTE, RUN, SECOND } from '../../test/unit/builders.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { rotationScene, stepText, v1, v2 } from '../../test/unit/rotation-scene.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { classify, RetryableError } from '../errors.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Plan, Step } from './plan-types.ts';
import type { Source } from './source.ts';
import { tryStep } from './steps.ts';

const SETTLE: Step = { do: 'settle', recheckAt: undefined };
const planned = (step: Step, leftBehind: readonly string[] = []): Plan => ({
  step,
  leftBehind,
  next: undefined,
  hold: undefined,
  waitingFor: [],
});
const sourceOf = (pair: CaPair | undefined, version = 3): Source => ({ pair, version, trouble: undefined });

/** One step, and what it does to the outside. */
const STEPS: readonly (readonly [Step, readonly string[]])[] = [
  [SETTLE, []],
  [{ do: 'create', state: 'Active' }, ['leading', 'blank v3', 'create v3 Active', 'event CAGenerationCreated']],
  [{ do: 'mark', generation: { ...v1, mark: 'none' } }, ['leading', 'write v1 Active', 'event CAGenerationMarked']],
  [{ do: 'mark', generation: { ...v1, mark: 'partial' } }, ['leading', 'write v1 Active']],
  [{ do: 'move', generation: v2, to: 'Active' }, ['leading', 'write v2 Active', 'event CAGenerationActive']],
  [{ do: 'move', generation: v1, to: 'Retiring' }, ['leading', 'write v1 Retiring', 'event CAGenerationRetiring']],
  [{ do: 'retire', generation: v1 }, ['leading', 'delete v1', 'event CAGenerationRetired']],
];

for (const [step, lines] of STEPS) {
  const text = `${stepText(step)}${step.do === 'mark' ? ` ${step.generation.mark}` : ''}`;
  test(`${text}: ${lines.join(', ') || 'nothing'}`, async () => {
    const { world, runtime, deps } = rotationScene([v1, v2]);
    const taken = await tryStep(planned(step), sourceOf(another), runtime, deps, RUN);
    assert.equal(taken, { stepped: lines.length > 0, blocked: undefined });
    assert.equal(world.journal.lines, lines);
    world.told.assertNoKey();
  });

  for (const how of ['refuse', 'loseAnswer'] as const)
    if (lines.length > 0)
      test(`${text}, whose write is ${how === 'refuse' ? 'not stored' : 'stored, and the answer lost'}: no event`, async () => {
        const write = lines.find((line) => /^(create|write|delete) /.test(line)) as string;
        for (const status of [0, 403, 409, 422, 429, 500]) {
          const { world, runtime, deps } = rotationScene([v1, v2]);
          world.journal[how](write, refusal(status));
          const result = tryStep(planned(step), sourceOf(another), runtime, deps, RUN);
          if (status === 403 || status === 422) {
            const { stepped, blocked } = await result;
            assert.equal([stepped, blocked?.code], [false, status === 403 ? 'Forbidden' : 'SecretRefused']);
          } else assert.is.not(await thrownBy(result), undefined, `${status}`);
          assert.not.ok(
            world.journal.lines.some((line) => line.startsWith('event')),
            `${status}`,
          );
        }
      });
}

test('a replica that does not lead takes none', async () => {
  for (const [step] of STEPS.slice(1)) {
    const { world, runtime, deps } = rotationScene([v1, v2]);
    world.journal.refuse('leading', new RetryableError('Conflict', 'another replica leads'));
    const error = await thrownBy(tryStep(planned(step), sourceOf(another), runtime, deps, RUN));
    assert.is(classify(error).code, 'Conflict');
    assert.equal(world.journal.lines, ['leading refused']);
  }
});

test('a new generation without a pair is none', async () => {
  const { world, runtime, deps } = rotationScene([v1]);
  const create: Step = { do: 'create', state: 'Pending' };
  assert.is((await tryStep(planned(create), sourceOf(undefined), runtime, deps, RUN)).stepped, false);
  assert.equal(world.journal.lines, ['leading']);
});

test('each written generation names all generations in use, and since when it is in its state', async () => {
  const { world, runtime, deps } = rotationScene([v1, v2]);
  await world.clock.advance(MINUTE);
  await tryStep(planned({ do: 'move', generation: v2, to: 'Active' }), sourceOf(another), runtime, deps, RUN);
  const written = world.generations.secrets().find(({ version }) => version === 2);
  assert.equal(written?.mark.uids, ['uid-1', 'uid-2']);
  assert.equal(written?.generation?.since, world.clock.now());
});

test('a Warning event beside that of a step names those for which it waited no longer', async () => {
  const { world, runtime, deps } = rotationScene([v1, v2]);
  const left = ['ns/a', 'ns/b', 'ns/c', 'ns/d'];
  await tryStep(planned({ do: 'move', generation: v2, to: 'Active' }, left), sourceOf(another), runtime, deps, RUN);
  assert.equal(world.journal.lines.slice(-2), ['event CARotationOverruled', 'overruled Active']);
  assert.ok(world.told.includes('not shown in time to be trusted by all: 4, such as ns/a, ns/b, ns/c'));
});

test('a gate that opens overrules nothing yet', async () => {
  const { world, runtime, deps } = rotationScene([v1, v2]);
  await tryStep(planned({ do: 'note', generation: v2 }, ['ns/a']), sourceOf(another), runtime, deps, RUN);
  assert.equal(world.journal.lines, ['leading', 'write v2 Prepared']);
});

test('steps that are provoked one after the other are stopped, and go on later', async () => {
  const { world, runtime, deps } = rotationScene([v1, v2]);
  const mark: Plan = planned({ do: 'mark', generation: { ...v1, mark: 'partial' } });
  const takes = async () => tryStep(mark, sourceOf(stored), runtime, { ...deps, writeGeneration: async () => {} }, RUN);
  for (let step = 0; step < 30; step++) assert.is((await takes()).stepped, true);
  const { stepped, blocked } = await takes();
  assert.equal([stepped, blocked?.code], [false, 'SecretContested']);
  // One that has nothing to do needs no leave.
  assert.is((await tryStep(planned(SETTLE), sourceOf(stored), runtime, deps, RUN)).blocked, undefined);
  await world.clock.advance(20 * SECOND);
  assert.is((await takes()).stepped, true);
});

test.run();
