/** What the CEL rules of spec.revocation refuse, in both kinds of authority. */
import { type Row, spec } from './rows.ts';

const DELAY =
  'must be a duration such as 24h or 0s, at most 8760h (a year); there is no unit for days (7 days are 168h)';
const LIFE = 'must be a duration such as 24h, from 5m to 8760h (a year); there is no unit for days (7 days are 168h)';
const KINDS = ['CertificateAuthority', 'ClusterCertificateAuthority'] as const;

const vault = { server: 'https://vault.example.com', role: 'client', auth: { tokenSecretRef: { name: 'token' } } };

export const REVOCATION_ROWS: readonly Row[] = KINDS.flatMap((kind): Row[] => {
  const delay = (text: string) => spec({ revocation: { delay: text } });
  const validity = (text: string) => spec({ revocation: { crl: { validity: text } } });
  return [
    {
      kind,
      refuses: 'a delay in days',
      rule: 'spec.revocation.delay',
      says: DELAY,
      bad: delay('7d'),
      good: delay('168h'),
      schemaToo: true,
    },
    {
      kind,
      refuses: 'a delay of more than a year',
      rule: 'spec.revocation.delay',
      says: DELAY,
      bad: delay('8760h1s'),
      good: delay('8760h'),
    },
    {
      kind,
      refuses: 'a life of CRLs in days',
      rule: 'spec.revocation.crl.validity',
      says: LIFE,
      bad: validity('7d'),
      good: validity('168h'),
      schemaToo: true,
    },
    {
      kind,
      refuses: 'a life of CRLs of more than a year',
      rule: 'spec.revocation.crl.validity',
      says: LIFE,
      bad: validity('8760h1s'),
      good: validity('8760h'),
    },
    {
      kind,
      refuses: 'a life of CRLs of less than five minutes',
      rule: 'spec.revocation.crl.validity',
      says: LIFE,
      bad: validity('299s'),
      good: validity('5m'),
    },
    {
      kind,
      refuses: 'the CRL of a CA whose key another machine holds',
      rule: 'spec',
      says: 'url and crl are for CAs whose key Certwheel holds: secret, selfManaged and pkcs11; another CA serves its own CRL',
      bad: spec({ selfManaged: null, vault, revocation: { url: 'http://crl.example.com' } }),
      good: spec({ selfManaged: null, vault, revocation: { superseded: 'Revoke' } }),
    },
  ];
});
