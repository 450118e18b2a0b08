/** What the CEL rules of spec.caRotation refuse, in both kinds of authority. */
import { type Row, spec } from './rows.ts';

const DURATIONS = ['soak', 'propagation', 'progressDeadline', 'retireAfter'] as const;
const SYNTAX =
  'must be a duration such as 24h or 0s, at most 8760h (a year); there is no unit for days (7 days are 168h)';
const PERIOD = 'must be a duration such as 1s or 10m, from 1s to 24h; there is no unit for days';
const KINDS = ['CertificateAuthority', 'ClusterCertificateAuthority'] as const;

const DURATION_ROWS = KINDS.flatMap((kind) =>
  DURATIONS.flatMap((field): Row[] => {
    const rule = `spec.caRotation.${field}`;
    const of = (duration: string) => spec({ caRotation: { [field]: duration } });
    return [
      { kind, refuses: `${field} in days`, rule, says: SYNTAX, bad: of('7d'), good: of('168h'), schemaToo: true },
      {
        kind,
        refuses: `${field} of more than a year`,
        rule,
        says: SYNTAX,
        bad: of('8760h1s'),
        good: of('8760h'),
      },
    ];
  }),
);

const REISSUE_ROWS = KINDS.flatMap((kind): Row[] => {
  const rule = 'spec.caRotation.reissue.per';
  const of = (per: string) => spec({ caRotation: { reissue: { per } } });
  const refused = (what: string, bad: string, good: string): Row => {
    return { kind, refuses: `a reissue period ${what}`, rule, says: PERIOD, bad: of(bad), good: of(good) };
  };
  return [
    {
      ...refused('in words', 'Second', '1s'),
      schemaToo: true,
    },
    refused('of less than a second', '0.9s', '1s'),
    refused('of more than a day', '24h1s', '24h'),
  ];
});

export const CA_ROTATION_ROWS: readonly Row[] = [...DURATION_ROWS, ...REISSUE_ROWS];
