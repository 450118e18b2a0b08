/** Each write of an authority fails in each way that there is, or the process dies between any two of its effects. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthorityWorld, another } from '../../test/unit/authority-world.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { assertLed } from '../../test/unit/order.ts';

/** What must hold of the view of an authority at each moment, since its certificates rely on it. */
function assertServing(world: AuthorityWorld, told: string): void {
  const { view } = world.runtime ?? {};
  if (view?.signing === undefined) return;
  const signing = world.generations.all().find(({ version }) => version === view.signing?.version);
  assert.ok(signing !== undefined && view.trust.anchors.has(signing.path.anchor.fingerprintSHA256), told);
}

const SCENES = {
  'a first CA': { swaps: false, end: ['v1 Active'], steps: ['create v1 Active'] },
  'a CA rotation': {
    swaps: true,
    end: ['v2 Active'],
    steps: [
      'create v2 Pending',
      // Its gate opens, and is noted.
      ...['write v2 Prepared', 'write v2 Prepared', 'write v2 Trusted', 'write v2 Active'],
      ...['write v1 Retiring', 'write v1 Retiring', 'delete v1'],
    ],
  },
} as const;

for (const [what, { swaps, end, steps }] of Object.entries(SCENES)) {
  const begin = async () => {
    const world = new AuthorityWorld();
    if (swaps) {
      await world.settle();
      world.wanted = another;
    }
    const { length } = world.journal.lines;
    return { world, lines: () => world.journal.since(length) };
  };
  const isWrite = (line: string) => /^(create|write|delete) v\d/.test(line) && !line.endsWith('refused');
  const assertConverged = (world: AuthorityWorld, lines: readonly string[], told: string) => {
    assert.equal(world.generations.states(), end, told);
    assert.equal(
      lines.filter((line) => isWrite(line) && line !== 'write v1 Active'),
      steps,
      told,
    );
    assert.equal([world.condition('Ready'), world.condition('Rotating')], ['True Verified', undefined], told);
    assert.equal(
      world.status.generations?.map(({ version, state }) => `v${version} ${state}`),
      swaps ? ['v2 Active', 'v1 Retired'] : end,
      told,
    );
    assertLed(lines, isWrite);
    world.told.assertNoKey();
  };

  test(`${what}: each step is taken once, and asked for by a leader`, async () => {
    const { world, lines } = await begin();
    await world.settle();
    assertConverged(world, lines(), lines().join());
  });

  test(`${what}: a process that dies after any of its effects leaves what the next one goes on from`, async () => {
    const whole = await begin();
    await whole.world.settle();
    for (const [index, line] of whole.lines().entries()) {
      const { world, lines } = await begin();
      world.journal.diesAfter = world.journal.lines.length + index + 1;
      await world.settle();
      world.restart();
      await world.clock.advance(1_000);
      await world.settle();
      const told = `killed after ${index + 1} (${line}): ${lines().join()}`;
      assertConverged(world, lines(), told);
      assertServing(world, told);
    }
  });

  for (const effect of new Set([...steps, 'status', ...(swaps ? ['blank v2', 'write v1 Active'] : ['blank v1'])]))
    for (const how of ['refuse', 'loseAnswer'] as const)
      test(`${what}, ${effect} ${how === 'refuse' ? 'not stored' : 'stored, and the answer lost'}: it converges`, async () => {
        for (const status of [0, 403, 409, 422, 429, 500, 503]) {
          const { world, lines } = await begin();
          world.journal[how](effect, refusal(status, effect === 'status' ? 'certificateauthorities' : 'secrets'));
          await world.settle();
          const told = `${status}: ${lines().join()}`;
          assertConverged(world, lines(), told);
          assertServing(world, told);
        }
      });
}

test.run();
