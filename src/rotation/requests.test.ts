/** What the annotations of an authority ask for, and what its status answers. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import { generation, holder, one, two } from '../../test/unit/planned-rotation.ts';
import { caRotation } from '../api/ca-rotation.ts';
import type { CARotationRequest } from '../api/generated/types.ts';
import { afterRollBack } from './after-step.ts';
import type { Generation } from './generation.ts';
import { answersOf } from './requests.ts';

const DONE = 'Done: generation 2 was made';
const active = generation(1, 'Active', one);

interface Given {
  readonly generations?: readonly Generation[];
  readonly makesCA?: boolean;
  readonly isElsewhere?: boolean;
  readonly before?: readonly CARotationRequest[];
}

function answer(
  annotation: string,
  value: string,
  { generations = [active], makesCA = true, isElsewhere = false, before = [] }: Given = {},
) {
  const { asked: requests } = caRotation(undefined, { [`certwheel.io/${annotation}`]: value });
  const signing = generations.find(({ state }) => state === 'Active');
  const given = { requests, backend: 'secret', makesCA, isElsewhere, generations, signing, before };
  const [found, ...others] = answersOf(given, NOW);
  assert.equal(others, []);
  return found && `${found.state}: ${found.message}`;
}

test('where another machine decides which CA signs, a roll-back is refused, and a step can be asked for', () => {
  const anchors = [active, generation(2, 'Trusted', two)].map((each) => ({ ...each, signer: undefined }));
  const given = { generations: anchors, makesCA: false, isElsewhere: true };
  assert.match(
    answer('rollback-ca', '2', given) ?? '',
    /^Refused: which CA signs is decided behind a secret authority/,
  );
  assert.is(answer('advance-ca', '2/Active', given), 'Waiting: generation 2 is Trusted');
});

test('without annotations nothing is answered', () => {
  assert.is(answer('other', 'x'), undefined);
  assert.is(answer('rotate-ca', ''), undefined);
});

test('what can not be read is refused with an example', () => {
  for (const [key, value] of [
    ['rotate-ca', 'now'],
    ['rotate-ca', `2026-01-01T00:00:00Z${' '.repeat(100)}`],
    ['rollback-ca', 'v2'],
    ['rollback-ca', '0'],
    ['rollback-ca', '99999999'],
    ['advance-ca', '2'],
    ['advance-ca', '2/Trusted'],
    ['advance-ca', '2/Active/1'],
  ] as const)
    assert.match(answer(key, value) ?? '', /^Refused: not readable; example: /, `${key}=${value}`);
});

test('a rotation is waited for, then done, and refused where Certwheel does not make the CA', () => {
  assert.match(answer('rotate-ca', hoursFromNow(1).toISOString()) ?? '', /^Waiting: the next CA is made at 2026/);
  assert.is(answer('rotate-ca', NOW.toISOString()), 'Waiting: the next CA is being made');
  const { notBefore } = two.certificate;
  const made = [active, generation(2, 'Pending', two)];
  assert.match(
    answer('rotate-ca', notBefore.toISOString(), { generations: made }) ?? '',
    /^Done: generation \d was made/,
  );
  const foreign = answer('rotate-ca', NOW.toISOString(), { makesCA: false });
  assert.match(foreign ?? '', /^Refused: Certwheel does not make the CA of a secret authority/);
});

test('a CA that a person has signed answers the wish by when it was taken, since it may be dated back', async () => {
  const dated = { notBefore: hoursFromNow(-3) };
  const below = pairOf(await signIntermediate(holder, dated), holder);
  const wish = hoursFromNow(-0.5).toISOString();
  for (const state of ['Prepared', 'Active', 'Retiring'] as const)
    assert.is(
      answer('rotate-ca', wish, { generations: [active, generation(2, state, below, hoursFromNow(-0.25))] }),
      DONE,
    );
  const taken = generation(2, 'Active', below, hoursFromNow(-0.75));
  assert.match(answer('rotate-ca', wish, { generations: [active, taken] }) ?? '', 'Waiting');
  const own = generation(2, 'Active', pairOf(await root(dated)), hoursFromNow(-0.25));
  assert.match(answer('rotate-ca', wish, { generations: [active, own] }) ?? '', 'Waiting');
  const rolledBack = afterRollBack(
    { do: 'rollBack', generation: active, rejected: generation(2, 'Active', below, NOW) },
    NOW,
  );
  assert.equal(rolledBack.rejectedMadeAt, NOW);
});

test('a rotation stays done when the generation that it made is rolled back and retired', () => {
  const rejectedMadeAt = new Date(NOW.getTime() - 1_000);
  const generations = [{ ...active, rejects: [two.id], rejectedMadeAt }];
  const made = answer('rotate-ca', rejectedMadeAt.toISOString(), { generations });
  assert.is(made, 'Done: the generation that was made is rolled back');
  const next = answer('rotate-ca', NOW.toISOString(), { generations });
  assert.is(next, 'Waiting: the next CA is being made');
});

test('a roll-back is done, under way, or refused with the reason', () => {
  const both = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
  assert.is(answer('rollback-ca', '2', { generations: both }), 'Waiting: generation 1 is to sign');
  assert.match(answer('rollback-ca', '1', { generations: both }) ?? '', /^Refused: .*signs no more/);
  assert.match(answer('rollback-ca', '7', { generations: both }) ?? '', /^Refused: there is no generation 7/);
  const after = [{ ...active, rejects: [two.id] }, generation(2, 'RolledBack', two)];
  assert.match(
    answer('rollback-ca', '2', { generations: after }) ?? '',
    /^Done: generation 2 signs no more; generation 1/,
  );
});

test('a step that was asked for is done once the generation is in that state', () => {
  const generations = [active, generation(2, 'Trusted', two)];
  assert.is(answer('advance-ca', '2/Active', { generations }), 'Waiting: generation 2 is Trusted');
  assert.is(answer('advance-ca', '1/Active', { generations }), 'Done: generation 1 is Active');
  assert.is(answer('advance-ca', '9/Retired', { generations }), 'Done: generation 9 is Retired');
  assert.match(answer('advance-ca', '9/Active', { generations }) ?? '', /^Refused: there is no generation 9/);
});

test('what is done stays done for the same value, also when its generation is gone', () => {
  const before = [{ annotation: 'certwheel.io/rollback-ca', value: '2', state: 'Done', message: 'as it was' } as const];
  assert.is(answer('rollback-ca', '2', { before }), 'Done: as it was');
  assert.match(answer('rollback-ca', '3', { before }) ?? '', /^Refused/);
});

test.run();
