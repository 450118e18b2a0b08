import type { Query } from './panel.ts';

export const CERTIFICATE = 'namespace=~"$namespace",authority=~"$authority"';
export const AUTHORITY = 'authority=~"$authority"';
/** Metrics of the process have no prefix of ours: those of the controller are on the same target as its Lease. */
export const OURS = 'and on (job, instance) certwheel_leader';
export const BY_CERTIFICATE = 'by (namespace, name, authority)';
export const SINGLE = 'Empty where there are more certificates than --certificate-series.';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

export const rate = (metric: string) => `rate(${metric}[$__rate_interval])`;
/** Prometheus 3 writes whole bounds with .0. */
export const upTo = (histogram: string, bound: number) =>
  `sum(${histogram}_bucket{le=~"${Number.isInteger(bound) ? `${bound}|${bound}.0` : bound}"})`;

export function quantiles(histogram: string, label?: string): Query[] {
  const by = label === undefined ? 'le' : `le, ${label}`;
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${by}) (${rate(`${histogram}_bucket`)}))`,
    legend: `p${quantile * 100}${label === undefined ? '' : ` {{${label}}}`}`,
  }));
}

export const TIME_LEFT = 'certwheel_certificate_time_left_seconds';
export const OVERDUE = 'certwheel_certificate_overdue_ratio';
export const NOT_AFTER = `certwheel_certificate_not_after_timestamp_seconds{${CERTIFICATE}}`;
export const RENEWAL = `certwheel_certificate_renewal_timestamp_seconds{${CERTIFICATE}}`;
export const NEXT_TO_EXPIRE = `bottomk(20, max ${BY_CERTIFICATE} (${NOT_AFTER} - time()))`;
export const CA_LEFT = `certwheel_ca_not_after_timestamp_seconds{${AUTHORITY}} - time()`;
export const DEMAND = `certwheel_authority_demand_issuances_per_day{${AUTHORITY}}`;

/** A bar for each stretch of time that is left. */
export function stretches(): Query[] {
  const bounds: readonly (readonly [number, string])[] = [
    [0, 'expired'],
    [600, 'up to 10 min'],
    [HOUR, 'up to 1 h'],
    [6 * HOUR, 'up to 6 h'],
    [DAY, 'up to 1 d'],
    [7 * DAY, 'up to 7 d'],
    [30 * DAY, 'up to 30 d'],
    [90 * DAY, 'up to 90 d'],
  ];
  const bars = bounds.map(([bound, legend], index) => {
    const before = bounds[index - 1];
    return { expr: upTo(TIME_LEFT, bound) + (before === undefined ? '' : ` - ${upTo(TIME_LEFT, before[0])}`), legend };
  });
  return [...bars, { expr: `sum(${TIME_LEFT}_count) - ${upTo(TIME_LEFT, 90 * DAY)}`, legend: 'longer' }];
}

/** How many renewals come within a time, so that nobody is surprised. */
export function renewalsWithin(...limits: readonly (readonly [seconds: number, legend: string])[]): Query[] {
  return limits.map(([seconds, legend]) => ({
    expr: `count(max ${BY_CERTIFICATE} (${RENEWAL}) - time() < ${seconds}) or vector(0)`,
    legend,
  }));
}
