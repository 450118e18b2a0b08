import type { Panel } from './panel.ts';
import {
  BY_CERTIFICATE,
  DAY,
  HOUR,
  NEXT_TO_EXPIRE,
  NOT_AFTER,
  RENEWAL,
  renewalsWithin,
  SINGLE,
  stretches,
} from './queries.ts';

export const certificates: readonly Panel[] = [
  {
    kind: 'table',
    title: 'Next to expire',
    description: `The twenty certificates that expire first, and their renewal times. ${SINGLE}`,
    unit: 'dtdurations',
    width: 12,
    height: 12,
    limits: { red: 0, orange: HOUR, falling: true },
    queries: [
      { expr: NEXT_TO_EXPIRE, legend: 'expires in' },
      {
        expr: `max ${BY_CERTIFICATE} (${RENEWAL} - time()) and ${BY_CERTIFICATE.replace('by', 'on')} ${NEXT_TO_EXPIRE}`,
        legend: 'due in',
      },
    ],
  },
  {
    kind: 'bars',
    title: 'Remaining validity of certificates',
    description: 'All certificates, by remaining validity; short lives are at the top.',
    unit: 'short',
    width: 6,
    height: 12,
    queries: stretches(),
  },
  {
    kind: 'bars',
    title: 'Coming renewals',
    description: `Number of certificates that are due by then. ${SINGLE}`,
    unit: 'short',
    width: 6,
    height: 12,
    queries: renewalsWithin(
      [0, 'due now'],
      [HOUR, 'within 1 h'],
      [6 * HOUR, 'within 6 h'],
      [DAY, 'within 1 d'],
      [7 * DAY, 'within 7 d'],
      [30 * DAY, 'within 30 d'],
    ),
  },
  {
    kind: 'lines',
    title: 'First expiry by namespace',
    description: `Remaining validity of the certificate that expires first. A sawtooth is normal; a line that reaches zero is an outage. ${SINGLE}`,
    unit: 's',
    width: 24,
    height: 8,
    queries: [{ expr: `min by (namespace) (${NOT_AFTER} - time())`, legend: '{{namespace}}' }],
  },
];
