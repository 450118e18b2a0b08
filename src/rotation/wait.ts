import type { Generation } from './generation.ts';
import type { Member, Plan, Rotation, Step } from './plan-types.ts';

/** Takes the step once no member that is waited for has stood in its way for the whole propagation time. */
export function waitForMembers(
  rotation: Rotation,
  generation: Generation,
  standsInTheWay: (member: Member) => boolean,
  waitsUntil: (member: Member) => Date,
  step: Step,
  now: Date,
): Plan {
  // Each replica knows them in an order of its own, and they stand in the status.
  const blocking = rotation.members.filter(standsInTheWay).sort((one, other) => (one.key < other.key ? -1 : 1));
  const inTheWay = blocking.filter((each) => waitsUntil(each) > now);
  const leftBehind = blocking.filter((each) => waitsUntil(each) <= now).map(({ key }) => key);
  const waitingFor = inTheWay.map(({ key }) => key);
  if (waitingFor.length > 0) {
    // One that isn't renewed any more stands in the way no longer than it is valid.
    const recheckAt = firstAfter(now, [...inTheWay.map(({ notAfter }) => notAfter), ...inTheWay.map(waitsUntil)]);
    return { step: { do: 'settle', recheckAt }, waitingFor, leftBehind, clearSince: new Map() };
  }
  // Without certificates no workload has to load anything.
  if (rotation.members.length === 0) return { step, waitingFor, leftBehind, clearSince: new Map() };
  // One generation may come to two gates: on its way out, and on its way back in.
  const gateName = `${step.do} ${generation.version}`;
  const since = rotation.clearSince.get(gateName) ?? now;
  const opensAt = new Date(since.getTime() + rotation.propagationMs);
  const clearSince = new Map([[gateName, since]]);
  return { step: opensAt <= now ? step : { do: 'settle', recheckAt: opensAt }, waitingFor, leftBehind, clearSince };
}

function firstAfter(now: Date, moments: readonly (Date | undefined)[]): Date | undefined {
  const ahead = moments.filter((each): each is Date => each !== undefined && each > now);
  return ahead.length === 0 ? undefined : new Date(Math.min(...ahead.map((each) => each.getTime())));
}
