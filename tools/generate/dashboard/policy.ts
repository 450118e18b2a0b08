import { half, type Panel } from './panel.ts';
import { AUTHORITY, BY_CERTIFICATE, CERTIFICATE, HOUR, rate } from './queries.ts';

const DENIED = `max ${BY_CERTIFICATE} (certwheel_denied_certificate_not_after_timestamp_seconds{${CERTIFICATE}} - time())`;

export const policy: readonly Panel[] = [
  {
    kind: 'areas',
    title: 'Certificates that are not permitted',
    description:
      'By authority and reason: denied by the policy or an approver, or waiting for an approval or a place. Empty is good.',
    unit: 'short',
    ...half,
    queries: [
      {
        expr: `max by (authority, reason) (certwheel_certificates_not_permitted{${AUTHORITY}})`,
        legend: '{{reason}} {{authority}}',
      },
    ],
  },
  {
    kind: 'table',
    title: 'Denied certificates that expire first',
    description:
      'Certificates that were issued before and are not renewed, because the policy or an approver denies them.',
    unit: 'dtdurations',
    ...half,
    limits: { red: 0, orange: HOUR, falling: true },
    queries: [{ expr: `bottomk(20, ${DENIED})`, legend: 'expires in' }],
  },
  {
    kind: 'areas',
    title: 'Issuances by rule',
    description: 'Published certificates, by the rule that permitted them.',
    unit: 'opm',
    width: 24,
    height: 8,
    queries: [
      {
        expr: `60 * sum by (authority, rule) (${rate(`certwheel_issuances_by_rule_total{${AUTHORITY}}`)}) > 0`,
        legend: '{{rule}} {{authority}}',
      },
    ],
  },
];
