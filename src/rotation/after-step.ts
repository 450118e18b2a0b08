import { type Generation, madeAt } from './generation.ts';
import type { Step } from './plan-types.ts';

/** A generation after a move, which happens at `now`. What the wait for trust has shown counts for the step after it. */
export function afterMove({ generation, to }: Extract<Step, { do: 'move' }>, now: Date): Generation {
  const { gate, state, since, preparedAt } = generation;
  // One that an earlier version prepared has no other moment than that of its state.
  const known = preparedAt ?? (state === 'Prepared' ? since : now);
  return {
    ...generation,
    state: to,
    since: now,
    preparedAt: to === 'Prepared' ? now : known,
    gate: to === 'Trusted' && gate !== undefined ? { to: 'Active', since: gate.since } : undefined,
  };
}

/** So many CAs are held off; the oldest are forgotten, and the Secret of the generation stays small. */
const MOST_REJECTS = 20;

/** The generation that signs in place of one that was rolled back. */
export function afterRollBack({ generation, rejected }: Extract<Step, { do: 'rollBack' }>, now: Date): Generation {
  const rejects = [...generation.rejects, rejected.path.id].slice(-MOST_REJECTS);
  const moments = [generation.rejectedMadeAt, madeAt(rejected)].filter((each) => each !== undefined);
  const rejectedMadeAt = new Date(Math.max(...moments.map((each) => each.getTime())));
  // It outdoes the one that is rolled back, as long as that is marked as active too.
  const signsOn = generation.state === 'Active' && rejected.state !== 'Active';
  const again = signsOn ? {} : { state: 'Active' as const, since: now };
  return { ...generation, ...again, rejects, rejectedMadeAt, gate: undefined };
}
