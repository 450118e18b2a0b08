import type { CertificateAuthority, Limits, RateLimit } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { AuthorityDemand } from '../api/generated/types.ts';
import { keyOf } from '../api/parse.ts';
import type { Capabilities } from '../backends/backend.ts';
import { authorityName } from '../certificate/authority-view.ts';
import { expectedIntervalMs, grantedLife } from '../certificate/decision/schedule.ts';
import { isOurs } from '../certificate/observed.ts';
import type { SecretView } from '../certificate/secret/view.ts';
import type { Consumer } from '../rotation/deps.ts';
import type { Runtime } from './runtime.ts';

const DAY_MS = 86_400_000;
const DIGITS = 3;

/** What of an authority a forecast needs. */
interface Served extends Pick<Runtime, 'rateLimit'> {
  readonly resource: Pick<CertificateAuthority, 'limits' | 'quota'>;
  readonly definition?: { readonly capabilities: Pick<Capabilities, 'lifetimeQuota' | 'leadMs'> };
}

/** How many issuances are known to be had from an authority. */
export interface KnownQuota {
  readonly perDay: number;
  readonly from: AuthorityDemand['quotaFrom'];
}

/** All certificates of one duration. */
export interface Cost {
  readonly durationMs: number;
  readonly certificates: number;
  readonly perDay: number;
  /** The first of them by name. */
  readonly example: string;
}

/** What the certificates of an authority are going to ask of it. */
export interface Demand {
  readonly certificates: number;
  readonly perDay: number;
  /** The dearest first. */
  readonly costs: readonly Cost[];
  readonly quota: KnownQuota | undefined;
  /** Where a CA gives a limited number of certificates in its life, that number, and how many are known to be used up. */
  readonly lifetime?: { readonly quota: number; readonly issued: number };
}

/**
 * A forecast for an authority as it runs, from the lives of its certificates: first issues of new ones, and failures, are
 * not in it.
 */
export function demandOn(
  { resource, rateLimit, definition }: Served,
  consumers: readonly Consumer[],
  now: Date,
): Demand {
  const { limits, quota } = resource;
  const costs = new Map<number, Cost>();
  const counted = consumers.filter(({ resource: { spec, deleting } }) => !spec.suspended && !deleting);
  for (const each of counted) {
    const { durationMs } = each.resource.spec;
    const before = costs.get(durationMs);
    const key = keyOf(each.resource);
    costs.set(durationMs, {
      durationMs,
      certificates: (before?.certificates ?? 0) + 1,
      perDay: (before?.perDay ?? 0) + issuancesPerDay(each, limits, definition?.capabilities.leadMs, now),
      example: before === undefined || key < before.example ? key : before.example,
    });
  }
  const all = [...costs.values()]
    .map((cost) => ({ ...cost, perDay: withoutNoise(cost.perDay) }))
    .sort((one, other) => other.perDay - one.perDay || one.durationMs - other.durationMs);
  return {
    certificates: counted.length,
    perDay: withoutNoise(all.reduce((sum, { perDay }) => sum + perDay, 0)),
    costs: all,
    quota: tightest(quota, rateLimit),
    ...lifetimeOf(definition?.capabilities.lifetimeQuota, consumers),
  };
}

/**
 * Of three digits, to the nearest: what a signer grants may be a second more or less each time, and a rotation must not
 * change what status says. Round lives lie far from where that rounding has its edges.
 */
function issuancesPerDay(
  { resource, secret }: Consumer,
  limits: Limits,
  leadMs: number | undefined,
  now: Date,
): number {
  const { durationMs, renewBefore } = resource.spec;
  const askedMs = Math.min(durationMs, limits.maxDurationMs ?? durationMs);
  const held = secret !== undefined && isAsAsked(resource, secret) ? secret.claimedValidity : undefined;
  const issuance = { issuedAt: secret?.memory.issuedAt, now };
  const lifeMs = held === undefined ? askedMs : grantedLife(held, durationMs, issuance).lifeMs;
  return DAY_MS / Number(expectedIntervalMs(lifeMs, { renewBefore, leadMs }).toPrecision(DIGITS));
}

/** What was granted for another duration, or by another authority, says nothing of the next. */
function isAsAsked(resource: ClientCertificate, secret: SecretView): boolean {
  const { requestedDurationMs, authority } = secret.memory;
  return (
    isOurs({ resource, secret }) &&
    authority === authorityName(resource) &&
    // The Secret remembers whole seconds.
    Math.abs((requestedDurationMs ?? 0) - resource.spec.durationMs) < 1_000
  );
}

/** Counted by the revisions of the existing Secrets, without certificates that were deleted or issued elsewhere: AWS has no call for the number. */
function lifetimeOf(quota: number | undefined, consumers: readonly Consumer[]): Pick<Demand, 'lifetime'> {
  if (quota === undefined) return {};
  const issued = consumers.map(({ resource, secret }) => secret?.memory.revision ?? resource.status.revision ?? 0);
  return { lifetime: { quota, issued: issued.reduce((sum, each) => sum + each, 0) } };
}

function tightest(quota: CertificateAuthority['quota'], rateLimit: RateLimit | undefined): KnownQuota | undefined {
  const perDay = (count: number, perMs: number) => (count * DAY_MS) / perMs;
  const known: KnownQuota[] = [
    ...(quota === undefined ? [] : [{ perDay: perDay(quota.issuances, quota.perMs), from: 'Quota' } as const]),
    ...(rateLimit === undefined
      ? []
      : [{ perDay: perDay(rateLimit.requests, rateLimit.perMs), from: 'RateLimit' } as const]),
  ];
  return known.sort((one, other) => one.perDay - other.perDay)[0];
}

/** The last digits of a sum of fractions depend on the order in which it was made. */
function withoutNoise(sum: number): number {
  return Number(sum.toPrecision(9));
}
