import type { CARotationRequests } from '../api/ca-rotation.ts';
import { toRfc3339 } from '../api/conditions.ts';
import type { CARotationRequest } from '../api/generated/types.ts';
import { ADVANCE_CA_ANNOTATION, ROLLBACK_CA_ANNOTATION, ROTATE_CA_ANNOTATION } from '../api/names.ts';
import { canSign, type Generation, madeAt, madeSince, wasMadeSince } from './generation.ts';
import { rollBackOf, rolledBack } from './roll-back.ts';

type Answer = Pick<CARotationRequest, 'state' | 'message'>;

interface Asked {
  readonly requests: CARotationRequests;
  /** The backend of the authority, and whether its CA is made by Certwheel. */
  readonly backend: string;
  readonly makesCA: boolean;
  /** Whether another machine alone decides which CA signs. */
  readonly isElsewhere: boolean;
  /** Whether a step waits for the annotation at all. */
  readonly isManual: boolean;
  /** Those of the present backend, and those that another one brought, which never sign. */
  readonly generations: readonly Generation[];
  readonly former: readonly Generation[];
  /** The highest version that was ever given; 0 where none was. */
  readonly newest: number;
  readonly signing: Generation | undefined;
  /** What the status says of them: what is done stays done, also when its generation is gone. */
  readonly before: readonly CARotationRequest[];
}

/** What the annotations of an authority ask of its CA rotation, and what became of that. */
export function answersOf(asked: Asked, now: Date): CARotationRequest[] {
  const { rotate, rollback, advance } = asked.requests;
  const unreadable = (example: string): Answer => ({ state: 'Refused', message: `not readable; example: ${example}` });
  const answers: [string, string | undefined, Answer | undefined][] = [
    [
      ROTATE_CA_ANNOTATION,
      rotate?.text,
      rotate && (rotate.wish === undefined ? unreadable('2026-01-31T12:00:00Z') : rotation(rotate.wish, asked, now)),
    ],
    [
      ROLLBACK_CA_ANNOTATION,
      rollback?.text,
      rollback && (rollback.wish === undefined ? unreadable('2') : returned(rollback.wish, asked, now)),
    ],
    [
      ADVANCE_CA_ANNOTATION,
      advance?.text,
      advance && (advance.wish === undefined ? unreadable('2/Active') : advanced(advance.wish, asked)),
    ],
  ];
  return answers.flatMap(([annotation, value, answer]) => {
    if (value === undefined || answer === undefined) return [];
    const known = asked.before.find((each) => each.annotation === annotation && each.value === value);
    const isFinal = known?.state === 'Done' || isRefusedRollBack(known);
    return [known !== undefined && isFinal ? known : { annotation, value, ...answer }];
  });
}

/**
 * Whether a roll-back was refused before, and so is not done. It stays refused, or a generation that is made later, under the
 * version that it names, would be rolled back at once.
 */
export function isRefused(
  asked: CARotationRequests['rollback'],
  before: readonly CARotationRequest[] | undefined,
): boolean {
  return before?.some((each) => isRefusedRollBack(each) && each.value === asked?.text) === true;
}

function isRefusedRollBack(known: CARotationRequest | undefined): boolean {
  return known?.annotation === ROLLBACK_CA_ANNOTATION && known.state === 'Refused';
}

function rotation(wish: Date, { makesCA, backend, generations, signing }: Asked, now: Date): Answer {
  if (!makesCA)
    return {
      state: 'Refused',
      message: `Certwheel does not make the CA of a ${backend} authority; replace it at its source, and the CA rotation begins`,
    };
  if (wish > now) return { state: 'Waiting', message: `the next CA is made at ${toRfc3339(wish)}` };
  const made = generations.filter((each) => madeSince(each, wish)).sort((one, other) => one.version - other.version)[0];
  if (made !== undefined) {
    const message = `generation ${made.version} was made at ${toRfc3339(madeAt(made))}; a later time asks for another one`;
    return { state: 'Done', message };
  }
  if (wasMadeSince(generations, signing, wish))
    return { state: 'Done', message: 'the generation that was made is rolled back' };
  return { state: 'Waiting', message: 'the next CA is being made' };
}

function returned(version: number, asked: Asked, now: Date): Answer {
  const { backend, isElsewhere, generations, signing } = asked;
  if (isElsewhere)
    return {
      state: 'Refused',
      message: `which CA signs is decided behind a ${backend} authority; make the former one sign again there`,
    };
  const able = generations.filter(canSign);
  const target = able.find((each) => each.version === version);
  if (target !== undefined && rolledBack(signing)(target))
    return { state: 'Done', message: `generation ${version} signs no more; generation ${signing?.version} does` };
  const answer = rollBackOf(version, able, signing, now);
  if ('refused' in answer) {
    const why = ofFormer(version, asked) ?? answer.refused;
    return { state: 'Refused', message: `${why}; to ask for it once more, take the annotation away first` };
  }
  return { state: 'Waiting', message: `generation ${answer.to.version} is to sign` };
}

function advanced({ version, to }: { version: number; to: string }, asked: Asked): Answer {
  const { generations, former, newest, isManual } = asked;
  if (version > newest) {
    const message = `there is no generation ${version} yet, and the newest is ${newest}; approved for when it is there`;
    return { state: 'Waiting', message };
  }
  const target = [...generations, ...former].find((each) => each.version === version);
  const isDone = to === 'Retired' ? target === undefined : target?.state === to;
  if (isDone) return { state: 'Done', message: `generation ${version} is ${to}` };
  if (target === undefined) return { state: 'Refused', message: `there is no generation ${version} that is in use` };
  const never = to === 'Active' ? (ofFormer(version, asked) ?? whyNever(target)) : undefined;
  if (never !== undefined) return { state: 'Refused', message: never };
  // It may have been meant for a CA rotation that has ended otherwise, and stays good for the next one.
  const hint = isManual
    ? 'approved, and done once nothing else blocks it'
    : 'in mode Automatic no step waits for this annotation';
  return { state: 'Waiting', message: `generation ${version} is ${target.state}; ${hint}` };
}

function ofFormer(version: number, { former, backend }: Asked): string | undefined {
  const found = former.find((each) => each.version === version);
  return found && `generation ${version} is of the former backend ${found.source}, and never signs for ${backend}`;
}

/** Why one that has left signs no more because it is asked for. */
function whyNever({ version, state }: Generation): string | undefined {
  if (state === 'RolledBack') return `generation ${version} is rolled back, and never signs again`;
  if (state === 'Retiring')
    return `generation ${version} signs no more; to have it sign again, roll back the one that replaced it`;
  return undefined;
}
