import type { Json } from './api.ts';
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

/** What an ACME authority needs besides solvers. */
const ACME: Json = { server: 'https://ca.example.com/acme/clients/directory', trustBundle: { inline: 'PEM' } };

const rfc2136 = {
  nameserver: 'ns1.example.com',
  tsigKeyName: 'certwheel',
  tsigSecretSecretRef: { name: 'dns', key: 'tsig' },
};
const webhook = { url: 'https://dns.example.com/acme' };

const withSolver = (solver: Json) => spec({ selfManaged: null, acme: { ...ACME, solvers: [solver] } });
const withUpdates = (change: Json) => withSolver({ dns01: { rfc2136: { ...rfc2136, ...change } } });
const waiting = (timeout: string) => withSolver({ dns01: { rfc2136, propagation: { timeout } } });
const calling = (url: string) => withSolver({ dns01: { webhook: { url } } });

/** A solver of each kind, with every field. */
export const ALL_SOLVERS: readonly Json[] = [
  {
    selector: { dnsNames: ['*.example.com', 'www.example.com'], dnsZones: ['example.com'] },
    dns01: {
      rfc2136: {
        ...rfc2136,
        nameserver: '[2001:db8::53]:5353',
        zone: 'acme.example.com',
        tsigAlgorithm: 'HMACSHA512',
      },
      propagation: { nameservers: ['192.0.2.53', 'ns2.example.com:53'], timeout: '1m' },
    },
  },
  {
    selector: {},
    dns01: { webhook: { ...webhook, caBundle: 'LS0tLS1CRUdJTg==', secretRef: { name: 'hook', key: 'token' } } },
  },
  { http01: {} },
];

const TIMEOUT = 'must be a duration such as 60s, from 1s to 100s';

export const ACME_SOLVER_ROWS: readonly Short[] = [
  ...[{}, { dns01: { webhook }, http01: {} }].map((bad: Json) => ({
    refuses: `a solver with ${Object.keys(bad).length === 0 ? 'nothing' : 'two kinds of challenge'}`,
    rule: 'spec.acme.solvers[]',
    says: 'exactly one of dns01 and http01 must be set',
    bad: withSolver(bad),
    good: withSolver({ http01: {} }),
  })),
  ...[{}, { rfc2136, webhook }].map((bad: Json) => ({
    refuses: `dns01 with ${Object.keys(bad).length === 0 ? 'nothing' : 'two ways to change the zone'}`,
    rule: 'spec.acme.solvers[].dns01',
    says: 'exactly one of rfc2136 and webhook must be set',
    bad: withSolver({ dns01: bad }),
    good: withSolver({ dns01: { rfc2136 } }),
  })),
  ...['ns1.example.com:0', '192.0.2.53:65536', '[::1]:99999'].map((nameserver) => ({
    refuses: `the name server ${nameserver}`,
    rule: 'spec.acme.solvers[].dns01.rfc2136.nameserver',
    says: 'the port must be from 1 to 65535',
    bad: withUpdates({ nameserver }),
    good: withUpdates({ nameserver: '[2001:db8::53]:65535' }),
  })),
  ...['https://a..b', 'https://[:::]:443'].map((url) => ({
    refuses: `the webhook ${url}`,
    rule: 'spec.acme.solvers[].dns01.webhook.url',
    says: 'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
    bad: calling(url),
    good: calling('https://[2001:db8::7]:8443/'),
  })),
  {
    refuses: 'a webhook with the port 65536',
    rule: 'spec.acme.solvers[].dns01.webhook.url',
    says: 'the port must be from 1 to 65535',
    bad: calling('https://a:65536/'),
    good: calling('https://a:65535'),
  },
  {
    refuses: 'a propagation timeout in days',
    rule: 'spec.acme.solvers[].dns01.propagation.timeout',
    says: TIMEOUT,
    bad: waiting('1d'),
    good: waiting('100s'),
    schemaToo: true,
  },
  {
    refuses: 'a propagation timeout below a second',
    rule: 'spec.acme.solvers[].dns01.propagation.timeout',
    says: TIMEOUT,
    bad: waiting('0.9s'),
    good: waiting('1s'),
  },
  {
    refuses: 'a propagation timeout above 100 seconds',
    rule: 'spec.acme.solvers[].dns01.propagation.timeout',
    says: TIMEOUT,
    bad: waiting('1m41s'),
    good: waiting('100s'),
  },
];

/** The largest list of solvers that the bounds allow. */
export const LARGEST_SOLVERS: Json = {
  ...ACME,
  solvers: Array.from({ length: 16 }, (_, index) => ({
    selector: {
      dnsNames: Array.from({ length: 100 }, (_, name) => `${`${name}`.padStart(63, 'n')}.${'a.'.repeat(94)}b`),
      dnsZones: Array.from({ length: 100 }, (_, name) => `${`${name}`.padStart(63, 'z')}.${'a.'.repeat(94)}b`),
    },
    dns01: {
      ...(index % 2 === 0
        ? { rfc2136: { ...rfc2136, nameserver: `${'a.'.repeat(127)}b:65535`, zone: `${'a.'.repeat(126)}b` } }
        : { webhook: { url: `https://${'a.'.repeat(126)}b:65535/${'p'.repeat(200)}` } }),
      propagation: {
        nameservers: Array.from({ length: 8 }, (_, server) => `${'a.'.repeat(126)}${server}:65535`),
        timeout: `${'0'.repeat(26)}100s`,
      },
    },
  })),
};
