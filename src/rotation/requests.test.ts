/** What the annotations of an authority ask for, and what its status answers. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import { generation, holder, one, three, two } from '../../test/unit/planned-rotation.ts';
import { caRotation } from '../api/ca-rotation.ts';
import type { CARotationRequest } from '../api/generated/types.ts';
import { afterRollBack } from './after-step.ts';
import type { Generation } from './generation.ts';
import { answersOf, isRefused } from './requests.ts';

const DONE = /^Done: generation 2 was made at .*; a later time asks for another one$/;
const APPROVED = (state: string, version = 2) =>
  `Waiting: generation ${version} is ${state}; approved, and done once nothing else blocks it`;
const active = generation(1, 'Active', one);

interface Given {
  readonly generations?: readonly Generation[];
  readonly former?: readonly Generation[];
  readonly newest?: number;
  readonly isManual?: boolean;
  readonly makesCA?: boolean;
  readonly isElsewhere?: boolean;
  readonly before?: readonly CARotationRequest[];
}

function answer(annotation: string, value: string, given: Given = {}) {
  const {
    generations = [active],
    former = [],
    makesCA = true,
    isElsewhere = false,
    isManual = true,
    before = [],
  } = given;
  const { newest = Math.max(...[...generations, ...former].map(({ version }) => version)) } = given;
  const { asked: requests } = caRotation(undefined, { [`certwheel.io/${annotation}`]: value });
  const signing = generations.find(({ state }) => state === 'Active');
  const all = {
    requests,
    backend: 'secret',
    makesCA,
    isElsewhere,
    isManual,
    generations,
    former,
    newest,
    signing,
    before,
  };
  const [found, ...others] = answersOf(all, NOW);
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
  assert.is(answer('advance-ca', '2/Active', given), APPROVED('Trusted'));
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
    assert.match(
      answer('rotate-ca', wish, { generations: [active, generation(2, state, below, hoursFromNow(-0.25))] }) ?? '',
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
  assert.is(answer('advance-ca', '2/Active', { generations }), APPROVED('Trusted'));
  assert.is(answer('advance-ca', '1/Active', { generations }), 'Done: generation 1 is Active');
  const known = { generations, newest: 9 };
  assert.is(answer('advance-ca', '9/Retired', known), 'Done: generation 9 is Retired');
  assert.match(answer('advance-ca', '9/Active', known) ?? '', /^Refused: there is no generation 9/);
});

test('a step of a generation that was never there is not done, and may be asked for before it is', () => {
  const generations = [active, generation(2, 'Trusted', two)];
  for (const to of ['Active', 'Retired'])
    assert.is(
      answer('advance-ca', `9/${to}`, { generations }),
      'Waiting: there is no generation 9 yet, and the newest is 2; approved for when it is there',
    );
});

test('a step that can never be taken is refused, and one that waits for no annotation says so', () => {
  const left = [generation(1, 'Retiring', one), generation(2, 'RolledBack', two), generation(3, 'Active', three)];
  assert.is(
    answer('advance-ca', '2/Active', { generations: left }),
    'Refused: generation 2 is rolled back, and never signs again',
  );
  assert.match(answer('advance-ca', '1/Active', { generations: left }) ?? '', /^Refused: generation 1 signs no more/);
  assert.is(answer('advance-ca', '2/Retired', { generations: left }), APPROVED('RolledBack'));
  assert.is(
    answer('advance-ca', '1/Retired', { generations: left, isManual: false }),
    'Waiting: generation 1 is Retiring; in mode Automatic no step waits for this annotation',
  );
});

test('a generation of a former backend is not called gone, and does not sign', () => {
  const former = [2, 3].map((version) => ({ ...generation(version, 'Trusted', two), source: 'selfManaged' }));
  const given = { former };
  assert.is(answer('advance-ca', '3/Retired', given), APPROVED('Trusted', 3));
  const never = /^Refused: generation 2 is of the former backend selfManaged, and never signs for secret/;
  assert.match(answer('advance-ca', '2/Active', given) ?? '', never);
  assert.match(answer('rollback-ca', '2', given) ?? '', never);
});

test('a roll-back that was refused stays refused, also when there is such a generation later', () => {
  const { asked } = caRotation(undefined, { 'certwheel.io/rollback-ca': '2' });
  const refused = answer('rollback-ca', '2') ?? '';
  assert.match(refused, /^Refused: there is no generation 2 .*take the annotation away first$/);
  const before = [{ annotation: 'certwheel.io/rollback-ca', value: '2', state: 'Refused', message: 'x' } as const];
  const generations = [active, generation(2, 'Pending', two)];
  assert.is(answer('rollback-ca', '2', { generations, before }), 'Refused: x');
  assert.is(isRefused(asked.rollback, before), true);
  assert.is(isRefused(asked.rollback, undefined), false);
  const another = caRotation(undefined, { 'certwheel.io/rollback-ca': '3' }).asked;
  assert.is(isRefused(another.rollback, before), false);
});

test('what is done stays done for the same value, also when its generation is gone', () => {
  const before = [{ annotation: 'certwheel.io/rollback-ca', value: '2', state: 'Done', message: 'as it was' } as const];
  assert.is(answer('rollback-ca', '2', { before }), 'Done: as it was');
  assert.match(answer('rollback-ca', '3', { before }) ?? '', /^Refused/);
});

test.run();
