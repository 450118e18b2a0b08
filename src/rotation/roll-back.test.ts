/** A CA that is rolled back signs no more, and the one before it signs again. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW } from '../../test/pki/make.ts';
import { generation, gone, later, member, one, plan, step, three, two } from '../../test/unit/planned-rotation.ts';
import { afterMove, afterRollBack } from './after-step.ts';
import { canSign, type Generation, signingGeneration } from './generation.ts';
import { rollBackOf } from './roll-back.ts';

const terms = { rollback: 2 };
const STATES = ['Pending', 'Prepared', 'Trusted'] as const;

/** What is stored after the step of these generations is taken. */
function take(generations: readonly Generation[], ...rest: [Parameters<typeof plan>[1], Parameters<typeof plan>[2]?]) {
  const planned = plan(generations, rest[0], rest[1] ?? [], { terms }).step;
  const written =
    planned.do === 'rollBack'
      ? afterRollBack(planned, NOW)
      : planned.do === 'move'
        ? afterMove(planned, NOW)
        : undefined;
  return generations.map((each) => (each.version === written?.version ? written : each));
}

test('one that does not sign yet never will, and the one that signs goes on', () => {
  for (const state of STATES) {
    const before = [generation(1, 'Active', one), generation(2, state, two)];
    assert.is(step(before, two, [], { terms }), '1 again for 2');
    const noted = take(before, two);
    assert.equal([noted[0]?.since, noted[0]?.rejects], [before[0]?.since, [two.id]], 'it signs since as before');
    if (state === 'Pending') {
      assert.is(step(noted, two, [], { terms: { ...terms, isManual: true } }), 'retire 2', 'it goes into no ca.crt');
      continue;
    }
    assert.is(step(noted, two, [], { terms }), '2 -> RolledBack');
    const after = take(noted, two);
    assert.is(step(after, two, [], { terms }), 'retire 2', 'its source still offers it');
  }
});

test('one that signs hands back to the one before at once, and leaves with its last certificate', () => {
  const before = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
  const members = [member('ns/a', one), member('ns/b', two)];
  assert.is(step(before, two, members, { terms }), '1 again for 2');
  const noted = take(before, two, members);
  assert.is(signingGeneration(noted, NOW)?.version, 1, 'from the first of the two writes on');
  assert.is(step(noted, two, members, { terms }), '2 -> RolledBack');
  const after = take(noted, two, members);
  assert.equal(plan(after, two, members, { terms }).waitingFor, ['ns/b']);
  const clearSince = new Map([['retire 2', hoursFromNow(-1)]]);
  assert.is(step(after, two, [member('ns/b', one)], { terms, clearSince }), 'retire 2');
});

test('what was rolled back begins no new rotation, and another CA does', () => {
  const holding = [{ ...generation(1, 'Active', one), rejects: [two.id] }];
  assert.is(step(holding, two), 'settle');
  assert.is(step(holding, three), 'create Pending');
  const next = [...holding, generation(3, 'Active', three, NOW)];
  assert.is(step(next, three), '1 -> Retiring');
  const back = [generation(2, 'RolledBack', two), generation(3, 'Active', three, NOW)];
  assert.is(step(back, two, [member('ns/a', two)]), 'settle', 'as long as it is in use');
});

test('a roll-back is refused with the reason', () => {
  const refusalOf = (version: number, generations: readonly Generation[], now = NOW) => {
    const answer = rollBackOf(version, generations.filter(canSign), signingGeneration(generations, now), now);
    return 'refused' in answer ? answer.refused : `generation ${answer.to.version} signs`;
  };
  const both = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
  assert.match(refusalOf(3, both), 'no generation 3');
  assert.match(refusalOf(1, both), 'name the generation that replaced it');
  assert.match(refusalOf(2, both.slice(1)), 'no other generation');
  const expired = [generation(1, 'Retiring', gone), generation(2, 'Active', two)];
  assert.match(refusalOf(2, expired, later), 'no other generation');
  assert.is(refusalOf(2, both), 'generation 1 signs');
  const coming = [generation(1, 'Active', one), generation(2, 'Trusted', two), generation(3, 'Prepared', three)];
  assert.match(refusalOf(1, coming), 'no other generation', 'what never signed is not trusted everywhere');
});

test('a refused roll-back changes nothing', () => {
  const alone = [generation(2, 'Active', two)];
  assert.is(step(alone, two, [member('ns/a', two)], { terms }), 'settle');
});

test.run();
