/** What the CEL rules of spec.caRotation refuse, in both kinds of authority. */
import { type Row, spec } from './rows.ts';

const DURATIONS = ['soak', 'propagation', 'progressDeadline', 'retireAfter'] as const;
const SYNTAX = 'must be a duration such as 24h or 0s; there is no unit for days (7 days are 168h)';
const KINDS = ['CertificateAuthority', 'ClusterCertificateAuthority'] as const;

export const CA_ROTATION_ROWS: readonly Row[] = KINDS.flatMap((kind) =>
  DURATIONS.flatMap((field): Row[] => {
    const rule = `spec.caRotation.${field}`;
    const of = (duration: string) => spec({ caRotation: { [field]: duration } });
    return [
      { kind, refuses: `${field} in days`, rule, says: SYNTAX, bad: of('7d'), good: of('168h'), schemaToo: true },
      {
        kind,
        refuses: `${field} of more than a year`,
        rule,
        says: 'must be at most 8760h (a year)',
        bad: of('8760h1s'),
        good: of('8760h'),
      },
    ];
  }),
);
