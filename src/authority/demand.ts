import { isDeepStrictEqual } from 'node:util';
import {
  authorityConditions,
  type CertificateAuthority,
  type Limits,
  type RateLimit,
} from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { NewCondition } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import type { AuthorityDemand, AuthorityStatus } from '../api/generated/types.ts';
import { keyOf } from '../api/parse.ts';
import { authorityName, isOurs } from '../certificate/observed.ts';
import { expectedIntervalMs, grantedLife } from '../certificate/schedule.ts';
import type { SecretView } from '../certificate/secret-view.ts';
import type { Runtime } from './registry.ts';

const DAY_MS = 86_400_000;
const DIGITS = 3;
/** From this part of the quota on it is told that it is short. */
const NEAR = 0.8;
/** So many kinds of certificates are named. */
const NAMED = 3;

/** A ClientCertificate that the authority serves, and the Secret of that name, whoever owns it. */
export interface Consumer {
  readonly resource: ClientCertificate;
  readonly secret: SecretView | undefined;
}

/** How many issuances are known to be had from an authority. */
export interface KnownQuota {
  readonly perDay: number;
  readonly from: AuthorityDemand['quotaFrom'];
}

/** All certificates of one duration. */
interface Cost {
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
}

/** What is asked of an authority as it runs. */
export function demandOn(
  { resource, rateLimit }: Pick<Runtime, 'resource' | 'rateLimit'>,
  consumers: readonly Consumer[],
): Demand {
  return forecast(consumers, resource, rateLimit);
}

/** A forecast from the lives of the certificates: the first issues of new ones, and failures, are not in it. */
export function forecast(
  consumers: readonly Consumer[],
  { limits, quota }: Pick<CertificateAuthority, 'limits' | 'quota'>,
  rateLimit: RateLimit | undefined,
): Demand {
  const costs = new Map<number, Cost>();
  const counted = consumers.filter(({ resource: { spec, deleting } }) => !spec.suspended && !deleting);
  for (const each of counted) {
    const { durationMs } = each.resource.spec;
    const before = costs.get(durationMs);
    const key = keyOf(each.resource);
    costs.set(durationMs, {
      durationMs,
      certificates: (before?.certificates ?? 0) + 1,
      perDay: (before?.perDay ?? 0) + issuancesPerDay(each, limits),
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
  };
}

/**
 * Of three digits, to the nearest: what a signer grants may be a second more or less each time, and a rotation must not
 * change what status says. Round lives lie far from where that rounding has its edges.
 */
function issuancesPerDay({ resource, secret }: Consumer, limits: Limits): number {
  const { durationMs, renewBefore } = resource.spec;
  const askedMs = Math.min(durationMs, limits.maxDurationMs ?? durationMs);
  const held = secret !== undefined && isAsAsked(resource, secret) ? secret.claimedValidity : undefined;
  const lifeMs = held === undefined ? askedMs : grantedLife(held, durationMs).lifeMs;
  return DAY_MS / Number(expectedIntervalMs(lifeMs, renewBefore).toPrecision(DIGITS));
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

/** For status: only where there is a quota to hold it against, since each certificate that comes or goes changes it. */
export function demandStatus({ certificates, perDay, quota }: Demand): AuthorityDemand | undefined {
  if (quota === undefined) return undefined;
  return {
    certificates,
    issuancesPerDay: Math.ceil(roundUp(perDay)),
    quotaPerDay: Math.floor(quota.perDay),
    quotaFrom: quota.from,
  };
}

/** Told before it is too late, that is while there is still something left. */
export function quotaShort({ perDay, quota, costs }: Demand): NewCondition[] {
  if (quota === undefined || perDay < NEAR * quota.perDay) return [];
  const isOver = perDay > quota.perDay;
  const allowed = `the ${perDayText(quota.perDay)} that ${quota.from === 'Quota' ? 'spec.quota' : 'the rate limit'} allows`;
  const outlook = isOver ? `more than ${allowed}, so renewals will come late or fail` : `close to ${allowed}`;
  const remedy = `longer durations, fewer certificates or a higher ${quota.from === 'Quota' ? 'quota' : 'rate limit'} help`;
  const dearest = costs.slice(0, NAMED).map(costText).join(', ');
  const message = `certificates will need ${perDayText(roundUp(perDay))}, ${outlook}; most of it goes to ${dearest}; ${remedy}`;
  return [{ type: 'QuotaShort', status: 'True', reason: isOver ? 'OverQuota' : 'NearQuota', message }];
}

/** What a status doesn't say yet: of a warning that begins, changes or ends; or figures alone. */
export function whatIsNew(demand: Demand, status: AuthorityStatus): 'warning' | 'figures' | undefined {
  const [wanted] = quotaShort(demand);
  const told = authorityConditions(status).find(({ type }) => type === 'QuotaShort');
  if (wanted?.reason !== told?.reason || wanted?.message !== told?.message) return 'warning';
  return isDeepStrictEqual(demandStatus(demand), status.demand) ? undefined : 'figures';
}

function costText({ durationMs, certificates, perDay, example }: Cost): string {
  const which = certificates === 1 ? example : `${certificates} like ${example}`;
  return `${which} with duration ${formatDuration(durationMs)} (${perDayText(roundUp(perDay))})`;
}

function perDayText(perDay: number): string {
  return `${perDay < 10 ? Number(perDay.toPrecision(2)) : Math.floor(perDay)} a day`;
}

/** The last digits of a sum of fractions depend on the order in which it was made. */
function withoutNoise(sum: number): number {
  return Number(sum.toPrecision(9));
}

/** To three digits, so that it isn't written anew for each little change. */
function roundUp(count: number): number {
  const unit = 10 ** (Math.floor(Math.log10(count)) + 1 - DIGITS);
  // What is at an edge but for the error of binary fractions stays there.
  return count <= 0 ? 0 : Number((Math.ceil(count / unit - 1e-9) * unit).toPrecision(DIGITS));
}
