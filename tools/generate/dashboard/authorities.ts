import { half, type Panel } from './panel.ts';
import { AUTHORITY, CA_LEFT, DEMAND, quantiles } from './queries.ts';

export const authorities: readonly Panel[] = [
  {
    kind: 'states',
    title: 'Authorities',
    description: 'Authorities that can issue.',
    unit: 'short',
    ...half,
    states: ['not ready', 'ready'],
    queries: [{ expr: `max by (authority) (certwheel_authority_ready{${AUTHORITY}})`, legend: '{{authority}}' }],
  },
  {
    kind: 'lines',
    title: 'Duration of issuance',
    description: 'Duration of an issuance by an authority.',
    unit: 's',
    ...half,
    queries: quantiles('certwheel_authority_request_duration_seconds', 'authority_type'),
  },
  {
    kind: 'lines',
    title: 'Time until the CA expires',
    description: 'No certificate lives longer than its CA.',
    unit: 's',
    logarithmic: true,
    ...half,
    queries: [{ expr: `max by (authority) (${CA_LEFT})`, legend: '{{authority}}' }],
  },
  {
    kind: 'bars',
    title: 'Remaining life of the CA',
    description: 'Self-managed CAs are replaced when a third is left.',
    unit: 'percentunit',
    ...half,
    max: 1,
    limits: { red: 0.1, orange: 0.2, falling: true },
    queries: [
      {
        expr: `max by (authority) ((${CA_LEFT}) / (certwheel_ca_not_after_timestamp_seconds - certwheel_ca_not_before_timestamp_seconds))`,
        legend: '{{authority}}',
      },
    ],
  },
  {
    kind: 'bars',
    title: 'Share of the quota',
    description:
      'Share of the tightest known quota (spec.quota, the rate limit) that renewals will use. Above 100 % they are late or fail.',
    unit: 'percentunit',
    ...half,
    limits: { orange: 0.8, red: 1 },
    queries: [
      {
        expr: `max by (authority) (${DEMAND}) / max by (authority) (certwheel_authority_quota_issuances_per_day)`,
        legend: '{{authority}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Issuances per day',
    description: 'Forecast from the lives of the certificates. A step is a created, deleted or changed certificate.',
    unit: 'short',
    ...half,
    queries: [{ expr: `max by (authority) (${DEMAND})`, legend: '{{authority}}' }],
  },
  {
    kind: 'lines',
    title: 'Certificates to revoke',
    description: 'Certificates that are still to be revoked. Authorities that have revoked none have no line.',
    unit: 'short',
    ...half,
    queries: [{ expr: `max by (authority) (certwheel_revocations_owed{${AUTHORITY}})`, legend: '{{authority}}' }],
  },
  {
    kind: 'lines',
    title: 'Time until the CRL expires',
    description: 'A CRL is signed anew at half of its validity. One that has expired refuses every client.',
    unit: 's',
    ...half,
    queries: [
      {
        expr: `max by (authority, generation) (certwheel_crl_next_update_timestamp_seconds{${AUTHORITY}}) - time()`,
        legend: '{{authority}} {{generation}}',
      },
    ],
  },
];
