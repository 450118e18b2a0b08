import { isDeepStrictEqual } from 'node:util';
import {
  type AnyCertificateAuthority,
  authorityConditions,
  authorityKey,
  type BrokenCertificateAuthority,
  type CertificateAuthority,
  fallbackKey,
} from '../api/certificate-authority.ts';
import { mergeConditions, whyBroken } from '../api/conditions.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Outcome } from '../queue/controller.ts';
import { endOf, signingOf, sourceOf } from '../rotation/generation.ts';
import type { AuthorityDeps } from './deps.ts';
import { fallbackEvent } from './fallback-status.ts';
import { reissueEvent } from './reissue-event.ts';
import type { Runtime } from './runtime.ts';
import { AUTHORITY_CONDITIONS, type AuthorityFindings, authorityStatus, foreignCa } from './status.ts';

/**
 * Writes the status if it has changed, with events for new trouble. Returns the moment of the next attempt where the status
 * was written too often, as happens when another controller writes it too.
 */
export async function report(
  resource: CertificateAuthority,
  runtime: Runtime,
  seen: Omit<AuthorityFindings, 'generations' | 'signing' | 'source' | 'isElsewhere' | 'trustStatus' | 'crls'>,
  deps: AuthorityDeps,
): Promise<Date | undefined> {
  const now = deps.clock.now();
  const { generations } = runtime;
  const signing = signingOf(runtime, now);
  const isElsewhere = sourceOf(runtime) === undefined;
  const crls = deps.crlCondition(resource);
  const source = runtime.definition.type;
  const trustStatus = deps.trustStatus(resource);
  const findings = { ...seen, generations, signing, source, isElsewhere, crls, trustStatus };
  const status = authorityStatus(resource, findings, now);
  const ca =
    signing === undefined
      ? foreignCa(findings)
      : { notBefore: signing.path.certificate.notBefore, notAfter: endOf(signing.path) };
  deps.metrics.show(resource, findings.trouble === undefined, ca);
  deps.metrics.showRotation(resource, findings);
  if (findings.revocation !== undefined) deps.metrics.showRevocations(resource, findings.revocation);
  deps.metrics.showFallback(
    resource,
    fallbackKey(resource),
    findings.fallback?.some(({ status }) => status === 'True') === true,
  );
  if (isDeepStrictEqual(status, resource.status)) return undefined;
  const laterAt = writeLaterAt(resource, deps);
  if (laterAt !== undefined) return laterAt;
  await deps.writeStatus(resource, status);
  const trouble = troubleEvent(resource.status, status);
  const quota = quotaEvent(resource.status, status);
  const foreign = changedEvent('ForeignGeneration', resource.status, status);
  const rogue = changedEvent('VerifierAcceptsRogue', resource.status, status);
  const fallback = fallbackEvent(resource.status, status);
  const reissue = reissueEvent(resource.status, status, findings.stop);
  for (const event of [trouble, quota, foreign, rogue, fallback, reissue])
    if (event !== undefined) deps.recordEvent(resource, event);
  logChange(resource, { trouble, quota, foreign }, status, deps);
  return undefined;
}

function writeLaterAt(resource: AnyCertificateAuthority, { clock, statusWrites }: AuthorityDeps): Date | undefined {
  const waitMs = statusWrites.take(authorityKey(resource), clock.monotonicMs());
  return waitMs === 0 ? undefined : new Date(clock.now().getTime() + waitMs);
}

function logChange(
  resource: CertificateAuthority,
  { trouble, quota, foreign }: Readonly<Record<'trouble' | 'quota' | 'foreign', EventText | undefined>>,
  status: AuthorityStatus,
  { log }: AuthorityDeps,
): void {
  const { kind, namespace, name, type } = resource;
  const about = { kind, ...(namespace === '' ? {} : { namespace }), name, type };
  if (quota !== undefined) log.warn('quota is short', { ...about, code: quota.reason, error: quota.note });
  if (foreign !== undefined)
    log.warn('CA generation from outside', { ...about, code: foreign.reason, error: foreign.note });
  if (trouble !== undefined)
    log.warn('authority in trouble', {
      ...about,
      code: trouble.reason,
      error: trouble.note,
      nextProbe: status.nextProbeTime,
    });
  else if (isReady(status) && !isReady(resource.status)) log.info('authority ready', about);
}

function isReady(status: AuthorityStatus): boolean {
  return authorityConditions(status).some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

/** Each trouble has one event, when it begins or turns into another. */
function troubleEvent(before: AuthorityStatus, after: AuthorityStatus): EventText | undefined {
  const trouble = (status: AuthorityStatus) =>
    authorityConditions(status).find(
      ({ type, status: value }) => (type === 'Ready' && value === 'False') || type === 'Stalled',
    );
  const now = trouble(after);
  if (now === undefined || now.message === trouble(before)?.message) return undefined;
  return { type: 'Warning', reason: now.reason, action: 'Verify', note: now.message };
}

/** A short quota has an event when it begins, and when it gets worse; the figures change more often. */
function quotaEvent(before: AuthorityStatus, after: AuthorityStatus): EventText | undefined {
  const short = (status: AuthorityStatus) => authorityConditions(status).find(({ type }) => type === 'QuotaShort');
  const [now, then] = [short(after), short(before)];
  if (now === undefined || now.reason === then?.reason || then?.reason === 'OverQuota') return undefined;
  return { type: 'Warning', reason: now.reason, action: 'Forecast', note: now.message };
}

/** Such as CA generations from outside: one event when they appear, and when there are others. */
function changedEvent(type: string, before: AuthorityStatus, after: AuthorityStatus): EventText | undefined {
  const found = (status: AuthorityStatus) => authorityConditions(status).find((each) => each.type === type);
  const now = found(after);
  if (now === undefined || now.message === found(before)?.message) return undefined;
  return { type: 'Warning', reason: type, action: 'Verify', note: now.message };
}

/** One that was stored under an older schema: nothing can be done with it but to say so. */
export async function reportBroken(resource: BrokenCertificateAuthority, deps: AuthorityDeps): Promise<Outcome> {
  const current = authorityConditions(resource.status);
  const conditions = mergeConditions(current, whyBroken(resource), AUTHORITY_CONDITIONS, deps.clock.now());
  // Of one that doesn't run there is nothing to expect.
  const { demand: _, nextProbeTime: __, ...known } = resource.status;
  const status = { ...known, observedGeneration: resource.generation, conditions };
  // There may be thousands of these, and what counts them is certwheel_objects_left_out.
  if (resource.code === 'NamespaceFull') deps.metrics.hide(authorityKey(resource));
  else {
    deps.metrics.show(resource, false, undefined);
    deps.metrics.showFallback(resource, undefined, false);
  }
  if (isDeepStrictEqual(status, resource.status)) return { do: 'rest' };
  const recheckAt = writeLaterAt(resource, deps);
  if (recheckAt === undefined) await deps.writeStatus(resource, status);
  return { do: 'rest', recheckAt };
}
