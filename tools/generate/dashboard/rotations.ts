import { half, type Panel } from './panel.ts';
import { quantiles, rate } from './queries.ts';

export const rotations: readonly Panel[] = [
  {
    kind: 'areas',
    title: 'Rotations by reason',
    description: 'Published certificates, including first issues.',
    unit: 'opm',
    ...half,
    queries: [{ expr: `60 * sum by (reason) (${rate('certwheel_rotations_total')}) > 0`, legend: '{{reason}}' }],
  },
  {
    kind: 'areas',
    title: 'Failures by code',
    description: 'Failed attempts. docs/troubleshooting.md explains every code. Empty is good.',
    unit: 'opm',
    ...half,
    queries: [
      {
        expr: `60 * sum by (code, authority_type) (${rate('certwheel_rotation_failures_total')}) > 0`,
        legend: '{{code}} ({{authority_type}})',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Lateness',
    description: 'Delay of renewals after they were due.',
    unit: 's',
    ...half,
    queries: quantiles('certwheel_rotation_lateness_seconds'),
  },
  {
    kind: 'lines',
    title: 'Duration of a rotation',
    description: 'From the decision to the stored Secret.',
    unit: 's',
    ...half,
    queries: quantiles('certwheel_rotation_duration_seconds', 'authority_type'),
  },
];
