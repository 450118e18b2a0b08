import { isDeepStrictEqual } from 'node:util';
import { within } from '../abort.ts';
import {
  type AnyCertificateAuthority,
  authorityKey,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { earliest } from '../api/moments.ts';
import { isInCluster, type ObjectKind, type TargetKind } from '../api/trust-targets.ts';
import type { Audit } from '../audit/event.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import { bundleOf, type TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import type { Trouble } from '../trouble.ts';
import { complete, wantsCrls } from './complete.ts';
import { crlNews } from './crl-proofs.ts';
import type { Delivery } from './delivery.ts';
import { type ClusterObject, type DesiredTarget, desiredTargets, idOf, type Places } from './desired.ts';
import { sourceEvents, troubleEvents } from './events.ts';
import { followTargets } from './follow.ts';
import { isOurs } from './judge.ts';
import type { TargetsMemory } from './memory.ts';
import { withoutNamesakes } from './namesakes.ts';
import { nameProblems } from './permitted-names.ts';
import { nextDelivery } from './proofs.ts';
import type { RemoteTargets } from './remote.ts';
import type { TargetResults } from './results.ts';
import { seenOf } from './seen.ts';
import { incomplete, nextEnd, nextRead, type SourceFinding, trustedBy } from './sources.ts';
import { trustStatus } from './status.ts';
import { allPlaces, removeSurplus, waitingPlaces } from './surplus.ts';
import { lookAgain, type Survey, showsSame, surveyTargets } from './survey.ts';
import { CRLS_NOT_READ, type TargetCrls } from './target-crls.ts';
import { tooLarge, UNREAD } from './troubles.ts';
import type { TargetView } from './view.ts';
import { withoutLoss } from './without-loss.ts';
import type { TargetAccess } from './write.ts';
import { writeDue } from './write-due.ts';

/** What the reconcile of trust targets reaches the world by. */
export interface TargetsDeps {
  find(key: string): AnyCertificateAuthority | undefined;
  /** The CA certificates that verifiers must accept; undefined while they aren't known. */
  trustOf(resource: CertificateAuthority): TrustBundle | undefined;
  /** Its own CA certificates, also those below what verifiers trust. */
  cas(resource: CertificateAuthority): readonly CertificateView[];
  readonly places: Places;
  readonly access: TargetAccess;
  view(object: Pick<ClusterObject, 'kind' | 'namespace' | 'name'>): TargetView | undefined;
  /** All objects that carry the labels of an authority. */
  labelled(key: string): readonly TargetView[];
  /** See Seen. */
  unknown(kind: ObjectKind, namespace: string): Trouble | undefined;
  /** Has the authority report its status. */
  wakeAuthority(key: string): void;
  recordEvent(resource: CertificateAuthority, event: EventText): void;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  /** See TrustSources. */
  readonly sources: {
    read(resource: CertificateAuthority): Promise<readonly SourceFinding[]>;
    forget(key: string): void;
  };
  /** What is at a provider. */
  readonly remote: RemoteTargets;
  /** The CRLs for its targets. */
  readonly crls: {
    read(resource: CertificateAuthority): Promise<TargetCrls>;
    forget(key: string): void;
  };
  /** The ClientCertificates that the authority serves. */
  clients(resource: CertificateAuthority): readonly ClientCertificate[];
  /** Whether this replica writes the targets of that authority; otherwise it has the fallback. */
  isOurs(key: string): boolean;
  readonly results: TargetResults;
  readonly delivery: Delivery;
  readonly ownership: Ownership;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TargetMetrics;
}

export interface TargetMetrics {
  showTargets(authority: string, survey: Survey): void;
  hideTargets(authority: string): void;
  /** One object was written or deleted, or that failed. */
  targetWritten(kind: TargetKind, outcome: 'written' | 'deleted' | 'failed'): void;
}

/** The sources of a tenant take turns, of which each may be long. What can't be read is said to be so after 5 s. */
const READ_MS = 7_000;
const OUTAGE = { firstMs: 500, longestMs: 30_000 };

/** One look at all targets of one authority: what differs is written, and what isn't wanted any more is deleted. */
export async function reconcileTargets(key: string, deps: TargetsDeps, run: Run): Promise<Outcome> {
  const { clock, results } = deps;
  const resource = deps.find(key);
  if (resource === undefined) {
    results.deleted(key);
    return forget(key, deps);
  }
  // A broken spec says nothing about where trust belongs: what was written stays.
  if (isBrokenAuthority(resource)) return { do: 'rest' };
  const wanted = desiredTargets(resource, deps.places);
  if (!deps.isOurs(key)) return wanted.length === 0 ? forget(key, deps) : followTargets(resource, wanted, deps, run);
  const remove = (waiting: ReadonlySet<string>) => removeSurplus(resource, wanted, waiting, deps, run.signal);
  if (wanted.length === 0) return { ...forget(key, deps), recheckAt: await remove(new Set()) };
  const own = deps.trustOf(resource);
  if (own === undefined) return { do: 'rest', recheckAt: await remove(allPlaces(wanted)) };
  const read = await run.releaseWorker(() => inTime(run.signal, deps.sources.read(resource)));
  if (read === undefined) return { do: 'rest', recheckAt: new Date(clock.now().getTime() + READ_MS) };
  const memory = results.memoryOf(key);
  const cas = [...own.anchors.values(), ...deps.cas(resource)];
  const held = memory.inForce ?? heldBy(resource, deps);
  const before = { held, reported: resource.status.trust?.sources };
  const whole = memory.inForce === undefined ? withoutLoss(read, cas, before, clock.now()) : read;
  const sources = withoutNamesakes(cas, withNameProblems(resource, whole, deps), clock.now(), held);
  const further = trustedBy(sources, clock.now());
  const bundle = further.length === 0 ? own : bundleOf([...own.anchors.values(), ...further]);
  const unfit = incomplete(sources) ?? tooLarge(Buffer.byteLength(bundle.pem), bundle.anchors.size);
  // Before all of them have been read, what they hold may say more.
  if (unfit === undefined && areKnown(wanted, deps)) memory.inForce = new Set(bundle.anchors.keys());
  memory.keepOnly(new Set(wanted.flatMap(({ objects }) => objects.map(idOf))));
  const known = wantsCrls(resource) ? await run.releaseWorker(() => deps.crls.read(resource)) : undefined;
  if (known === undefined) deps.crls.forget(key);
  const { targets, crls } = await complete(wanted, bundle, known);
  deps.remote.refresh(resource, wanted, bundle);
  const seen = seenOf(resource, bundle, deps);
  const look = () => surveyTargets(resource, targets, bundle, seen, { memory, sources, crls, unfit, now: clock.now() });
  const found = look();
  const { isOutage, hasMore } = await writeDue(resource, found, memory, deps, run);
  const after = found.writes.size === 0 ? found : look();
  publish(resource, after, deps);
  const now = clock.now();
  const deliveryAt = memory.deliveryAt;
  memory.deliveryAt = nextDelivery(after, deps.delivery, now);
  // A CA rotation may have waited for that alone.
  if (deliveryAt !== undefined && deliveryAt <= now) deps.wakeAuthority(key);
  memory.outages = isOutage ? memory.outages + 1 : 0;
  if (isOutage) return { do: 'retry', at: new Date(now.getTime() + backoffMs(memory.outages, OUTAGE, clock.random())) };
  const surplusAt = await remove(waitingPlaces(after));
  if (hasMore) return { do: 'rest', recheckAt: now };
  return {
    do: 'rest',
    recheckAt: earliest([
      surplusAt,
      nextTry(after, memory),
      lookAgain(after, now),
      memory.deliveryAt,
      nextEnd(sources, now),
      nextRead(sources),
      deps.remote.nextRead(key),
      crls?.nextEnd,
    ]),
  };
}

/** The certificates that the targets hold after a start. */
function heldBy(resource: CertificateAuthority, { labelled }: TargetsDeps): ReadonlySet<string> {
  return new Set(labelled(authorityKey(resource)).flatMap((view) => (isOurs(view, resource) ? view.held : [])));
}

function areKnown(wanted: readonly DesiredTarget[], { unknown }: Pick<TargetsDeps, 'unknown'>): boolean {
  return wanted.every(({ objects }) =>
    objects.every((each) => !isInCluster(each) || unknown(each.kind, each.namespace)?.code !== UNREAD.code),
  );
}

/** Undefined where it takes too long: a run that goes on would hold up the stop of its process, or of its shard. */
async function inTime<Found>(signal: AbortSignal, work: Promise<Found>): Promise<Found | undefined> {
  return within(READ_MS, signal, (scope) => {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    scope.addEventListener('abort', () => resolve(undefined), { once: true });
    if (scope.aborted) resolve(undefined);
    return Promise.race([work, late]);
  });
}

function withNameProblems(
  resource: CertificateAuthority,
  findings: readonly SourceFinding[],
  { clients }: TargetsDeps,
): readonly SourceFinding[] {
  if (resource.trustSources.every(({ permittedNames }) => permittedNames === undefined)) return findings;
  const served = clients(resource);
  return resource.trustSources.flatMap((source, index) => {
    const found = findings[index];
    return found === undefined ? [] : [{ ...found, nameProblems: nameProblems(source, found, served) }];
  });
}

/** Nothing is known any more of the targets of an authority; what was written stays. */
export function forgetTargets(key: string, { results, sources, remote, crls, metrics }: TargetsDeps): void {
  results.forget(key);
  remote.forget(key);
  sources.forget(key);
  crls.forget(key);
  metrics.hideTargets(key);
}

/** There is nothing to write, and nothing to remember. */
function forget(key: string, deps: TargetsDeps) {
  forgetTargets(key, deps);
  return { do: 'rest' } as const;
}

function publish(resource: CertificateAuthority, survey: Survey, deps: TargetsDeps): void {
  const { results, metrics } = deps;
  const key = authorityKey(resource);
  // At the start the objects of a kind may not be known yet, and what status says of them is still true.
  if (isUnread(survey) && results.survey(key) === undefined) return;
  const before = results.status(resource);
  const former = results.survey(key);
  results.set(key, survey, trustStatus(survey, deps.delivery, deps.clock.now()));
  metrics.showTargets(key, survey);
  const after = results.status(resource);
  const isSame = isDeepStrictEqual(before, after) && isDeepStrictEqual(resource.status.trust, after);
  if (isSame && crlNews(former) === crlNews(survey) && showsSame(former, survey)) return;
  for (const event of [...troubleEvents(before, after), ...sourceEvents(before, after)])
    deps.recordEvent(resource, event);
  deps.wakeAuthority(key);
}

/** Whether a watch has not come to its end and has met no refusal either, or the CRLs have not been read. */
function isUnread({ crls, targets }: Survey): boolean {
  if (crls?.unread === CRLS_NOT_READ) return true;
  return targets.some(({ objects }) => objects.some(({ trouble, view }) => view === undefined && trouble === UNREAD));
}

function nextTry({ writes }: Survey, memory: TargetsMemory): Date | undefined {
  return earliest([...writes.keys()].map((each) => memory.of(idOf(each)).nextAt));
}
