import { pass } from './gates.ts';
import { type Generation, isPresent, mayHaveSigned } from './generation.ts';
import { isUsedEarly, leave } from './leaving.ts';
import { NEXT } from './plan.ts';
import { type Plan, planFor, type Rotation } from './plan-types.ts';
import { isFull, removeSuperseded } from './superseded.ts';

/**
 * The same where another machine alone decides which of its CAs signs: each CA certificate that verifiers must trust is a
 * generation. Certificates of one that isn't Active yet are withheld, so that it becomes Active by the gates of any other; and
 * several may be Active, as long as that machine states them. One that it states no more leaves, as soon as another is Active.
 */
export function planAnchors(all: Rotation, now: Date): Plan {
  const rotation = { ...all, members: all.members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now) };
  const { generations, source, stated, wanted } = rotation;
  const present = generations.filter((each) => isPresent(each, source));
  const former = generations.filter((each) => !present.includes(each));
  const isStated = ({ path }: Generation) => stated === undefined || stated.has(path.id);
  const active = present.filter((each) => each.state === 'Active' && isStated(each));
  // Workloads hold its certificates though it is stated no more: a pause and the verifiers protect these too.
  const signing = active[0] ?? present.find(({ state }) => state === 'Active');
  const scene = { rotation, signing, remaining: active, now };

  const unmarked = generations.find(({ mark }) => mark !== 'whole');
  if (unmarked !== undefined) return planFor({ do: 'mark', generation: unmarked });

  const stillActive = former.find(({ state }) => state === 'Active');
  if (stillActive !== undefined) return planFor({ do: 'move', generation: stillActive, to: 'Retiring' });

  if (stated === undefined) return leave(former, scene);
  const unstated = generations.filter((each) => !present.includes(each) || !isStated(each));
  const early = unstated.filter((each) => isUsedEarly(each, scene));
  const untrusted = early.find(({ state }) => state === 'Pending');
  if (untrusted !== undefined) return planFor({ do: 'move', generation: untrusted, to: 'Prepared' });
  const superseded = removeSuperseded(
    unstated.filter((each) => !early.includes(each)),
    rotation,
  );
  if (superseded !== undefined) return planFor(superseded);
  // No workload can hold anything valid that a waiting period would protect.
  const isFirst = generations.length === 0;
  if (wanted !== undefined && !isFull(generations, generations.find(mayHaveSigned)))
    return planFor({ do: 'create', state: isFirst ? 'Active' : 'Pending' });

  // It was trusted all the time.
  const back = present.find((each) => isStated(each) && mayHaveSigned(each) && each.state !== 'Active');
  if (back !== undefined) return planFor({ do: 'move', generation: back, to: 'Active' });

  const gone = active.length === 0 ? undefined : present.find((each) => each.state === 'Active' && !isStated(each));
  if (gone !== undefined) return planFor({ do: 'move', generation: gone, to: 'Retiring' });

  const coming = present.find((each) => isStated(each) && !mayHaveSigned(each));
  if (coming !== undefined && coming.state !== 'Active') {
    const to = NEXT[coming.state];
    const move = { generation: coming, to };
    return pass({ ...scene, move }, { do: 'move', ...move });
  }
  return leave([...former, ...present.filter((each) => !isStated(each) && each.state !== 'Active')], scene);
}
