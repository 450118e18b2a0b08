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
    description: `The twenty certificates that end first, and when each is due. ${SINGLE}`,
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
    title: 'How long certificates are still valid',
    description: 'All certificates, by the time that is left to them. Short lives stand where they belong, at the top.',
    unit: 'short',
    width: 6,
    height: 12,
    queries: stretches(),
  },
  {
    kind: 'bars',
    title: 'Renewals that come',
    description: `How many certificates are due by then. ${SINGLE}`,
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
    description: `How long the certificate that ends first is still valid. A saw is good; a line that reaches the floor is an outage. ${SINGLE}`,
    unit: 's',
    width: 24,
    height: 8,
    queries: [{ expr: `min by (namespace) (${NOT_AFTER} - time())`, legend: '{{namespace}}' }],
  },
];
