import { isDeepStrictEqual } from 'node:util';
import { authorityConditions } from '../api/certificate-authority.ts';
import type { NewCondition } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import type { AuthorityDemand, AuthorityStatus } from '../api/generated/types.ts';
import type { Cost, Demand } from './demand.ts';

/** From this part of the quota on it is reported as short. */
const NEAR = 0.8;
/** So many kinds of certificates are named. */
const NAMED = 3;
const DIGITS = 3;
const YEAR_DAYS = 365;

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

/** Reported before it is too late, that is while part of the quota is left. */
export function quotaShort(demand: Demand): NewCondition[] {
  const { perDay, quota, costs } = demand;
  if (quota === undefined || perDay < NEAR * quota.perDay) return lifetimeShort(demand);
  const isOver = perDay > quota.perDay;
  const allowed = `the ${perDayText(quota.perDay)} that ${quota.from === 'Quota' ? 'spec.quota' : 'the rate limit'} allows`;
  const outlook = isOver ? `more than ${allowed}, so renewals will come late or fail` : `close to ${allowed}`;
  const remedy = `longer durations, fewer certificates or a higher ${quota.from === 'Quota' ? 'quota' : 'rate limit'} help`;
  const dearest = costs.slice(0, NAMED).map(costText).join(', ');
  const message = `certificates will need ${perDayText(roundUp(perDay))}, ${outlook}; most of it goes to ${dearest}; ${remedy}`;
  return [{ type: 'QuotaShort', status: 'True', reason: isOver ? 'OverQuota' : 'NearQuota', message }];
}

/** A CA whose certificates are used up within a year: to replace it takes time. */
function lifetimeShort({ perDay, lifetime, costs }: Demand): NewCondition[] {
  if (lifetime === undefined || perDay === 0) return [];
  const { quota, issued } = lifetime;
  const days = Math.max(0, quota - issued) / perDay;
  if (days >= YEAR_DAYS) return [];
  // Of two digits, so that it isn't written anew with each certificate.
  const within = days < 1 ? 'a day' : `about ${Number(days.toPrecision(2))} days`;
  const message = `certificates will need ${perDayText(roundUp(perDay))}, which uses up the ${quota} that a CA of this kind issues in its life within ${within}, by what Certwheel itself issued; most of it goes to ${costs.slice(0, NAMED).map(costText).join(', ')}; longer durations or fewer certificates help, or another CA`;
  return [{ type: 'QuotaShort', status: 'True', reason: 'LifetimeQuota', message }];
}

/** What a status doesn't say yet: of a warning that begins, changes or ends; or figures alone. */
export function whatIsNew(demand: Demand, status: AuthorityStatus): 'warning' | 'figures' | undefined {
  const [wanted] = quotaShort(demand);
  const stored = authorityConditions(status).find(({ type }) => type === 'QuotaShort');
  if (wanted?.reason !== stored?.reason || wanted?.message !== stored?.message) return 'warning';
  return isDeepStrictEqual(demandStatus(demand), status.demand) ? undefined : 'figures';
}

function costText({ durationMs, certificates, perDay, example }: Cost): string {
  const which = certificates === 1 ? example : `${certificates} like ${example}`;
  return `${which} with duration ${formatDuration(durationMs)} (${perDayText(roundUp(perDay))})`;
}

function perDayText(perDay: number): string {
  return `${perDay < 10 ? Number(perDay.toPrecision(2)) : Math.floor(perDay)} a day`;
}

/** To three digits, so that it isn't written anew for each little change. */
function roundUp(count: number): number {
  const unit = 10 ** (Math.floor(Math.log10(count)) + 1 - DIGITS);
  // What is at an edge but for the error of binary fractions stays there.
  return count <= 0 ? 0 : Number((Math.ceil(count / unit - 1e-9) * unit).toPrecision(DIGITS));
}
