import { earliest, latest } from '../api/moments.ts';
import {
  type Blocker,
  hasSigned,
  lastMomentFor,
  membersInNeed,
  membersWithoutTrust,
  placesWithoutCrl,
  type Scene,
  verifiersWithoutTrust,
} from './blockers.ts';
import type { Gate } from './generation.ts';
import type { Hold, HoldReason, Move, Plan, Rotation, Step } from './plan-types.ts';

/** What stands in the way of a move: members or verifiers; while it does, no time is counted. */
interface Obstacle {
  readonly reason: HoldReason;
  readonly message: string;
  readonly blockers: (scene: Scene) => readonly Blocker[];
}

const LACKS_TRUST: Obstacle = {
  reason: 'MembersLackTrust',
  message: 'the new CA is in every ca.crt',
  blockers: membersWithoutTrust,
};
const NOT_PROVEN: Obstacle = {
  reason: 'TrustNotProven',
  message: 'every verifier is shown to trust the new CA',
  blockers: verifiersWithoutTrust,
};
const NO_CRL: Obstacle = {
  reason: 'CRLNotDelivered',
  message: 'its CRL is published, and in every trust target with crl',
  blockers: placesWithoutCrl,
};
const IN_USE: Obstacle = {
  reason: 'CertificatesInUse',
  message: 'its certificates are re-issued or have ended',
  blockers: membersInNeed,
};

/** The first that has blockers names the reason; so it is in the list below. */
const OBSTACLES: Readonly<Record<Move['to'], readonly Obstacle[]>> = {
  Prepared: [], // nothing reads a CA that is in no ca.crt
  Trusted: [LACKS_TRUST, NOT_PROVEN, NO_CRL], // a certificate of the new CA would be refused there
  Active: [LACKS_TRUST, NOT_PROVEN, NO_CRL], // what was true a moment ago may be true no more
  Retired: [IN_USE], // its certificates would be refused everywhere
};

type Wait = (scene: Scene, clearSince: Date) => Hold | undefined;

/** What has to pass once nothing stands in the way. */
const WAITS: Readonly<Record<Move['to'], readonly Wait[]>> = {
  Prepared: [],
  Trusted: [workloadsAreLoading], // the kubelet, and then the program, read a Secret later than it is written
  Active: [workloadsAreLoading, isSoaking, isNotAskedFor], // spec.caRotation.soak, and mode Manual
  Retired: [workloadsAreLoading, connectionsMayLast, isNotAskedFor], // spec.caRotation.retireAfter, and mode Manual
};

/** Makes the move once no gate is closed; a gate that opens, or closes again, is noted first. */
export function pass(scene: Scene, step: Step): Plan {
  const { move, rotation, now } = scene;
  const { generation } = move;
  const found = OBSTACLES[move.to].map((each) => ({ ...each, all: each.blockers(scene) }));
  const leftBehind = found.flatMap(({ all }) => all.filter(({ until }) => until <= now).map(({ key }) => key));
  const plan = (next: Step, hold: Hold | undefined): Plan => {
    return { step: next, next: move, hold, waitingFor: hold?.waitingFor ?? [], leftBehind };
  };
  const noted = generation.gate?.to === move.to ? generation.gate : undefined;
  const note = (gate: Gate | undefined, hold: Hold | undefined) =>
    plan({ do: 'note', generation: { ...generation, gate } }, hold);
  const settle = (hold: Hold) => plan({ do: 'settle', recheckAt: hold.until }, hold);

  // Where nothing signs, a pause protects no handshake.
  if (rotation.terms.isPaused && scene.signing !== undefined) return settle(PAUSED);
  for (const obstacle of found) {
    const inTheWay = obstacle.all.filter(({ until }) => until > now);
    if (inTheWay.length === 0) continue;
    const hold = holdOf(obstacle, inTheWay, now);
    // A gate that was open stays so until it is seen to be closed: a restart must cost no time.
    const isSeen = inTheWay.some(({ isUnseen }) => isUnseen === undefined);
    return generation.gate === undefined || !isSeen ? settle(hold) : note(undefined, hold);
  }
  const isWaiting = (since: Date) => firstWait(scene, since);
  if (noted === undefined || noted.since > now) {
    const hold = isWaiting(now);
    if (hold === undefined) return plan(step, undefined);
    return move.to === 'Prepared' ? settle(hold) : note({ to: move.to, since: now }, hold);
  }
  const hold = isWaiting(noted.since);
  return hold === undefined ? plan(step, undefined) : settle(hold);
}

const PAUSED: Hold = {
  reason: 'Paused',
  message: 'spec.caRotation.paused is false',
  until: undefined,
  waitingFor: [],
};

function firstWait(scene: Scene, clearSince: Date): Hold | undefined {
  for (const wait of WAITS[scene.move.to]) {
    const hold = wait(scene, clearSince);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

function holdOf({ reason, message }: Obstacle, inTheWay: readonly Blocker[], now: Date): Hold {
  const untils = inTheWay.map(({ until }) => until);
  const ends = inTheWay.map(({ ends }) => ends).filter((each) => each !== undefined && each > now);
  return {
    reason,
    message,
    until: earliest([earliest(untils), earliest(ends)]),
    deadline: latest(untils),
    waitingFor: inTheWay.map(({ key, lacks }) => (lacks === undefined ? key : `${key} (${lacks})`)),
  };
}

function workloadsAreLoading({ rotation, now }: Scene, clearSince: Date): Hold | undefined {
  const message = 'workloads have had time to load their Secrets';
  return waiting('Propagating', message, clearSince, loadMs(rotation), now);
}

/** Without certificates no workload has to load anything. */
function loadMs({ members, terms }: Rotation): number {
  return members.length === 0 ? 0 : terms.propagationMs;
}

/**
 * A soak is a time to watch, so it is cut short where the CA that signs would end first, as every other wait is: all its
 * certificates would end with it. Where nothing signs, nothing can be renewed before the soak is over.
 */
function isSoaking(scene: Scene): Hold | undefined {
  const { rotation, move, now } = scene;
  const { state, since } = move.generation;
  // One on its way back was trusted all the time.
  if (state !== 'Trusted') return undefined;
  const { soakMs } = rotation.terms;
  const leftMs = lastMomentFor(scene).getTime() - since.getTime();
  const message =
    leftMs < soakMs
      ? 'spec.caRotation.soak has been cut short, since what is in use now ends before it is over'
      : 'it has been trusted for spec.caRotation.soak';
  return waiting('Soaking', message, since, Math.min(soakMs, leftMs), now);
}

function connectionsMayLast({ rotation, move: { generation }, now }: Scene, clearSince: Date): Hold | undefined {
  if (!hasSigned(generation, rotation.generations)) return undefined;
  const message = 'connections that outlive its certificates have had spec.caRotation.retireAfter to end';
  return waiting('RetireAfter', message, clearSince, loadMs(rotation) + rotation.terms.retireAfterMs, now);
}

function isNotAskedFor({ rotation, move: { generation, to } }: Scene): Hold | undefined {
  const { isManual, advance } = rotation.terms;
  if (!isManual || (to === 'Retired' && !hasSigned(generation, rotation.generations))) return undefined;
  if (advance?.version === generation.version && advance.to === to) return undefined;
  const message = `the annotation certwheel.io/advance-ca=${generation.version}/${to} asks for it`;
  return { reason: 'WaitingForApproval', message, until: undefined, waitingFor: [] };
}

function waiting(reason: HoldReason, message: string, since: Date, ms: number, now: Date): Hold | undefined {
  const until = new Date(since.getTime() + ms);
  return until <= now ? undefined : { reason, message, until, waitingFor: [] };
}
