import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { isInCluster } from '../api/trust-targets.ts';
import { ApiError, classify } from '../errors.ts';
import type { Run } from '../queue/controller.ts';
import type { Trouble } from '../trouble.ts';
import { contestTrouble } from './contest.ts';
import { type DesiredObject, idOf, nameOf } from './desired.ts';
import { contentId, isOurs } from './judge.ts';
import type { TargetsMemory } from './memory.ts';
import type { TargetsDeps } from './reconcile.ts';
import type { Survey } from './survey.ts';
import { troubleOfWrite } from './troubles.ts';
import type { TargetView } from './view.ts';
import { writeTarget } from './write.ts';

/** Writes of one authority at the same time. */
const AT_ONCE = 8;
/** And in one run, so that other authorities get their turn. */
const IN_ONE_RUN = 200;
/** So many answers 5xx in a row are about the API server, and not about one object. */
const OUTAGE_AT = 8;

/** Writes what is due. One object that can't be written delays no other; where the API server itself is away, all wait. */
export async function writeDue(
  resource: CertificateAuthority,
  { bundle, writes }: Survey,
  memory: TargetsMemory,
  deps: TargetsDeps,
  { signal, releaseWorker }: Run,
): Promise<{ readonly isOutage: boolean; readonly hasMore: boolean }> {
  const { clock, log, metrics, audit } = deps;
  const now = clock.now();
  const due = [...writes].filter(([object]) => (memory.of(idOf(object)).nextAt ?? now) <= now);
  let isOutage = false;
  let brokenInRow = 0;
  const write = async (object: DesiredObject, seen: TargetView | undefined) => {
    const id = idOf(object);
    const about = { authority: authorityKey(resource), object: nameOf(object) };
    try {
      const trouble = await attempt(object, seen);
      brokenInRow = 0;
      if (trouble === undefined) memory.holds(id, contentId(object, bundle));
      else failed(trouble);
    } catch (error) {
      const trouble = troubleOfWrite(error, object);
      if (trouble !== undefined) return failed(trouble);
      const { code, message } = classify(error);
      if (error instanceof ApiError && error.status >= 500 && ++brokenInRow < OUTAGE_AT)
        return failed({ code: 'TrustTargetPending', message: `${nameOf(object)}: the API server fails: ${message}` });
      log.debug('a trust target could not be written', { ...about, code, error: message });
      if (code === 'Conflict') memory.failed(id, lostRace(message), clock.now(), clock.random());
      else isOutage = true;
    }
    function failed(trouble: Trouble): void {
      if (memory.of(id).trouble?.code !== trouble.code)
        log.warn('a trust target could not be written', { ...about, code: trouble.code, error: trouble.message });
      metrics.targetWritten(object.kind, 'failed');
      memory.failed(id, trouble, clock.now(), clock.random());
    }
  };
  const written = (object: DesiredObject) => {
    metrics.targetWritten(object.kind, 'written');
    audit?.write({
      event: 'trustTargetWritten',
      ...{ authority: authorityKey(resource), uid: resource.uid, object: nameOf(object) },
      anchors: [...bundle.anchors.keys()],
    });
  };
  const attempt = async (object: DesiredObject, seen: TargetView | undefined) => {
    if (!isInCluster(object)) {
      const trouble = await deps.remote.write(resource, object, bundle, signal);
      if (trouble === undefined) written(object);
      return trouble;
    }
    const remembered = memory.of(idOf(object));
    const isContested = remembered.trouble?.code === 'TrustTargetContested';
    if (remembered.held === contentId(object, bundle) && (remembered.trouble === undefined || isContested)) {
      if (remembered.repairs.take(clock.monotonicMs()) > 0) return contestTrouble(object, deps.access);
      reportRepair(resource, object, seen, bundle.anchors, deps);
    }
    const trouble = await writeTarget(resource, object, bundle, seen, {
      access: deps.access,
      clock,
      assertOwned: () => deps.ownership.assert(authorityKey(resource)),
    });
    if (trouble === undefined) written(object);
    return trouble;
  };
  const [inCluster, remote] = [true, false].map((wanted) => due.filter(([object]) => isInCluster(object) === wanted));
  const queue = (inCluster ?? []).slice(0, IN_ONE_RUN).values();
  const lane = async () => {
    for (const [object, seen] of queue) {
      if (isOutage || signal.aborted) return;
      await write(object, seen);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  // Once for all of them: the server is the choice of an author, who must not hold a worker by it.
  if (remote !== undefined && remote.length > 0)
    await releaseWorker(() => Promise.all(remote.map(([object, seen]) => write(object, seen))));
  return { isOutage, hasMore: (inCluster ?? []).length > IN_ONE_RUN };
}

/** Another writer was faster, several times. */
function lostRace(message: string): Trouble {
  return { code: 'TrustTargetPending', message: `another writer changes it at the same moment: ${message}` };
}

/** Another party changed or deleted an object: which CA certificates it was made to trust is for the audit. */
function reportRepair(
  resource: CertificateAuthority,
  object: DesiredObject,
  seen: TargetView | undefined,
  anchors: ReadonlyMap<string, unknown>,
  { log, recordEvent }: TargetsDeps,
): void {
  const strangers = seen !== undefined && isOurs(seen, resource) ? seen.held.filter((each) => !anchors.has(each)) : [];
  const what = seen === undefined ? 'was deleted' : 'was changed';
  const fields = { authority: authorityKey(resource), object: nameOf(object), strangers: strangers.slice(0, 5) };
  log.warn('trust target repaired', { ...fields, what });
  if (strangers.length === 0) return;
  const note = `${nameOf(object)} was changed to trust CA certificates that are not of this authority, and is repaired; SHA-256 ${fields.strangers.join(', ')}`;
  recordEvent(resource, { type: 'Warning', reason: 'TrustTargetRepaired', action: 'DistributeTrust', note });
}
