import { type Panel, small } from './panel.ts';
import { AUTHORITY, OVERDUE, TIME_LEFT, upTo } from './queries.ts';

export const overview: readonly Panel[] = [
  {
    kind: 'stat',
    title: 'Ready',
    description: 'ClientCertificates whose Secret holds a valid certificate for their spec.',
    unit: 'short',
    ...small,
    queries: [{ expr: 'sum(certwheel_certificates{ready="true"})', legend: 'ready' }],
  },
  {
    kind: 'stat',
    title: 'Not ready',
    description: 'ClientCertificates that were never issued, have expired, or hold the certificate of an earlier spec.',
    unit: 'short',
    ...small,
    limits: { orange: 1 },
    queries: [{ expr: 'sum(certwheel_certificates{ready="false"})', legend: 'not ready' }],
  },
  {
    kind: 'stat',
    title: 'Expired',
    description: 'Certificates that servers reject.',
    unit: 'short',
    ...small,
    limits: { red: 1 },
    queries: [{ expr: upTo(TIME_LEFT, 0), legend: 'expired' }],
  },
  {
    kind: 'stat',
    title: 'Renewals late',
    description: 'Certificates for which a tenth of the time between due and expiry has passed.',
    unit: 'short',
    ...small,
    limits: { orange: 1 },
    queries: [{ expr: `sum(${OVERDUE}_count) - ${upTo(OVERDUE, 0.1)}`, legend: 'late' }],
  },
  {
    kind: 'stat',
    title: 'Authorities not ready',
    description: 'Authorities that currently fail to issue.',
    unit: 'short',
    ...small,
    limits: { orange: 1 },
    queries: [
      {
        expr: `count(max by (authority) (certwheel_authority_ready{${AUTHORITY}}) == 0) or vector(0)`,
        legend: 'not ready',
      },
    ],
  },
  {
    kind: 'stat',
    title: 'Active replicas',
    description: 'Exactly one is normal; without one nothing is renewed.',
    unit: 'short',
    ...small,
    limits: { red: 1, falling: true },
    queries: [{ expr: 'sum(certwheel_leader) or vector(0)', legend: 'act' }],
  },
  {
    kind: 'areas',
    title: 'Alerts',
    description: 'Pending and firing alerts of Certwheel. Empty is good.',
    unit: 'short',
    width: 24,
    height: 6,
    queries: [
      {
        expr: 'count by (alertname, alertstate) (ALERTS{alertname=~"Certwheel.+"})',
        legend: '{{alertname}} {{alertstate}}',
      },
    ],
  },
];
