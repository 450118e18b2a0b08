/** What the CEL rules of spec.trust.verifiers refuse, in both kinds of authority. */
import type { Json } from './api.ts';
import { type Row, spec } from './rows.ts';

const ONE = { name: 'one', address: 'gateway.example.com:8443', protocol: { tls: {} } };
const AT = 'spec.trust.verifiers[]';

const verifier = (fields: Json): Json => spec({ trust: { verifiers: [{ ...ONE, ...fields }] } });
const without = (field: keyof typeof ONE, fields: Json = {}): Json => {
  const { [field]: _, ...rest } = ONE;
  return spec({ trust: { verifiers: [{ ...rest, ...fields }] } });
};
const ca = { name: 'server-ca', key: 'ca.crt' };
const http = (fields: Json): Json => verifier({ protocol: { http: { ...fields } } });

const PLACE = 'exactly one of address and service must be set';
const ADDRESS = 'must be host:port, as in gateway.example.com:8443 or [2001:db8::7]:8443';
const INTERVAL = 'must be a duration such as 30s or 5m, from 10s to 24h';

function rowsOf(kind: Row['kind'], service: Json): Row[] {
  const rows: Omit<Row, 'kind'>[] = [
    { refuses: 'a verifier that is nowhere', rule: AT, says: PLACE, bad: without('address'), good: verifier({}) },
    {
      refuses: 'a verifier in two places',
      rule: AT,
      says: PLACE,
      bad: verifier({ service }),
      good: without('address', { service }),
    },
    ...['gateway', 'gateway:0', 'gateway:65536', '2001:db8::7:443', 'https://gateway:1', 'a..b:1'].map(
      (address): Omit<Row, 'kind'> => ({
        refuses: `the address ${address}`,
        rule: `${AT}.address`,
        says: ADDRESS,
        bad: verifier({ address }),
        good: verifier({ address: '[2001:db8::7]:65535' }),
      }),
    ),
    {
      refuses: 'a server CA in two places',
      rule: `${AT}.serverCA`,
      says: 'exactly one of configMap and secret must be set',
      bad: verifier({ serverCA: { configMap: ca, secret: ca } }),
      good: verifier({ serverCA: { secret: ca } }),
    },
    {
      refuses: 'no protocol',
      rule: `${AT}.protocol`,
      says: 'exactly one of tls and http must be set',
      bad: verifier({ protocol: {} }),
      good: http({}),
    },
    {
      refuses: 'a status that means both',
      rule: `${AT}.protocol.http`,
      says: "a status can't be in both acceptStatus and rejectStatus",
      bad: http({ acceptStatus: [200, 404], rejectStatus: [404] }),
      good: http({ acceptStatus: [200, 404], rejectStatus: [400] }),
    },
    {
      refuses: 'an interval in days',
      rule: `${AT}.interval`,
      says: INTERVAL,
      bad: verifier({ interval: '1d' }),
      good: verifier({ interval: '24h' }),
      schemaToo: true,
    },
    {
      refuses: 'an interval of 9 seconds',
      rule: `${AT}.interval`,
      says: INTERVAL,
      bad: verifier({ interval: '9.9s' }),
      good: verifier({ interval: '10s' }),
    },
    {
      refuses: 'an interval of more than a day',
      rule: `${AT}.interval`,
      says: INTERVAL,
      bad: verifier({ interval: '24h1s' }),
      good: verifier({ interval: '1440m' }),
    },
  ];
  return rows.map((row) => ({ ...row, kind }));
}

export const VERIFIER_ROWS: readonly Row[] = [
  ...rowsOf('CertificateAuthority', { name: 'gateway', port: 443 }),
  ...rowsOf('ClusterCertificateAuthority', { name: 'gateway', namespace: 'payments', port: 443 }),
];
