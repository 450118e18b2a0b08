import { half, type Panel } from './panel.ts';
import { AUTHORITY, CA_LEFT, quantiles } from './queries.ts';

export const authorities: readonly Panel[] = [
  {
    kind: 'states',
    title: 'Authorities',
    description: 'Whether each can issue.',
    unit: 'short',
    ...half,
    states: ['not ready', 'ready'],
    queries: [{ expr: `max by (authority) (certwheel_authority_ready{${AUTHORITY}})`, legend: '{{authority}}' }],
  },
  {
    kind: 'lines',
    title: 'Answers of authorities',
    description: 'How long an authority took to issue.',
    unit: 's',
    ...half,
    queries: quantiles('certwheel_authority_request_duration_seconds', 'authority_type'),
  },
  {
    kind: 'lines',
    title: 'Until the CA ends',
    description: 'No certificate lives longer than its CA.',
    unit: 's',
    logarithmic: true,
    ...half,
    queries: [{ expr: `max by (authority) (${CA_LEFT})`, legend: '{{authority}}' }],
  },
  {
    kind: 'bars',
    title: 'Life of the CA that is left',
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
];
