import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { earliest } from '../api/moments.ts';
import { isInCluster } from '../api/trust-targets.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { type DesiredObject, type DesiredTarget, idOf } from './desired.ts';
import type { TargetsMemory } from './memory.ts';
import { nextDelivery } from './proofs.ts';
import type { TargetsDeps } from './reconcile.ts';
import { seenOf } from './seen.ts';
import { lookAgain, showsSame, surveyTargets } from './survey.ts';
import { namespaceEnds } from './troubles.ts';

/** Of the objects that are missing: so many at one look, in turn. */
const MOST_ASKED = 20;

/**
 * One look at the targets of an authority that another replica writes, where this one has its fallback, whose CA rotation waits for
 * them. Nothing is written.
 */
export async function followTargets(
  resource: CertificateAuthority,
  wanted: readonly DesiredTarget[],
  deps: TargetsDeps,
  run: Run,
): Promise<Outcome> {
  const { clock, delivery, remote, results } = deps;
  const key = authorityKey(resource);
  const bundle = deps.trustOf(resource);
  if (bundle === undefined) return { do: 'rest' };
  remote.refresh(resource, wanted, bundle);
  const memory = results.memoryOf(key);
  memory.keepOnly(new Set(wanted.flatMap(({ objects }) => objects.map(idOf))));
  const now = clock.now();
  const before = results.survey(key);
  const look = () => surveyTargets(resource, wanted, bundle, seenOf(resource, bundle, deps), { memory, now });
  const found = look();
  const missing: DesiredObject[] = [];
  for (const [object, view] of found.writes)
    if (view === undefined) missing.push(object);
    else memory.of(idOf(object)).trouble = undefined;
  const asked = memory.inTurn(missing, MOST_ASKED);
  if (asked.length > 0) await run.releaseWorker(() => noteEnding(asked, memory, deps, run.signal));
  const after = found.writes.size === 0 ? found : look();
  results.follow(key, after);
  const deliveredNow = memory.deliveryAt !== undefined && memory.deliveryAt <= now;
  if (deliveredNow || !showsSame(before, after)) deps.wakeAuthority(key);
  memory.deliveryAt = nextDelivery(after, delivery, now);
  return { do: 'rest', recheckAt: earliest([lookAgain(after, now), memory.deliveryAt, remote.nextRead(key)]) };
}

/** The replica that writes learns from the answer that a namespace is being deleted, where its tenant may hold it up for long. */
async function noteEnding(
  objects: readonly DesiredObject[],
  memory: TargetsMemory,
  { access }: Pick<TargetsDeps, 'access'>,
  signal: AbortSignal,
): Promise<void> {
  const note = async (object: DesiredObject) => {
    if (!isInCluster(object) || object.namespace === '') return;
    // What can't be read is waited for, as before.
    const isEnding = await access.isEnding(object.namespace, signal).catch(() => false);
    memory.of(idOf(object)).trouble = isEnding ? namespaceEnds(object) : undefined;
  };
  await Promise.all(objects.map(note));
}
