/** What the CEL rules of ClientCertificate refuse. */

import { type Row, spec } from './rows.ts';
import { KEY_RULES } from './rules-private-key.ts';

type Short = Omit<Row, 'kind'>;

const SYNTAX = 'must be a duration such as 24h, 90m or 1h30m; there is no unit for days (7 days are 168h)';
const RENEW_SYNTAX = 'must be a duration such as 8h, 20m or 1h30m; there is no unit for days (7 days are 168h)';
const IDENTITY =
  'an identity is needed: set commonName or at least one of dnsNames, uris, emailAddresses, ipAddresses (a subject alone is no identity)';
const WILDCARD = 'a wildcard must be the whole leftmost label, as in *.example.com';
const SPIFFE =
  "a SPIFFE ID is spiffe://<trust domain>/<path> with a lower-case trust domain, no port, query or fragment, and no empty, '.' or '..' segment";
const ENCIPHERMENT =
  "key encipherment and data encipherment need an RSA key: leave them out, or set privateKey.algorithm to RSA (TLS 1.3 doesn't use them)";
const RESERVED = 'keys of certwheel.io, cert-manager.io and kubernetes.io/service-account. are reserved';

const identity: Short[] = [
  ['nothing but a subject', { subject: { organizations: ['Example'] } }],
  ['lists of names that are all empty', { dnsNames: [], uris: [], emailAddresses: [], ipAddresses: [] }],
].flatMap(([refuses, rest]) => [
  {
    refuses: refuses as string,
    rule: 'spec',
    says: IDENTITY,
    bad: spec({ commonName: null, ...(rest as object) }),
    good: spec({ commonName: null, ...(rest as object), emailAddresses: ['client@example.com'] }),
  },
]);

/** Each kind of SAN is an identity by itself. */
const sans: Short[] = Object.entries({
  dnsNames: ['client.example.com'],
  uris: ['spiffe://example.com/client'],
  ipAddresses: ['192.0.2.7'],
}).map(([field, names]) => ({
  refuses: `no common name where ${field} would do`,
  rule: 'spec',
  says: IDENTITY,
  bad: spec({ commonName: null }),
  good: spec({ commonName: null, [field]: names }),
}));

const times: Short[] = [
  {
    refuses: 'days',
    rule: 'spec.duration',
    says: SYNTAX,
    bad: spec({ duration: '7d' }),
    good: spec({ duration: '168h' }),
    schemaToo: true,
  },
  {
    refuses: 'a negative duration',
    rule: 'spec.duration',
    says: SYNTAX,
    bad: spec({ duration: '-24h' }),
    good: spec({ duration: '1h30m' }),
    schemaToo: true,
  },
  {
    refuses: 'a bare number',
    rule: 'spec.duration',
    says: SYNTAX,
    bad: spec({ duration: '24' }),
    good: spec({ duration: '1.5h' }),
    schemaToo: true,
  },
  {
    refuses: 'a life below a minute',
    rule: 'spec.duration',
    says: 'must be at least 1m',
    bad: spec({ duration: '59.9s' }),
    good: spec({ duration: '60s' }),
  },
  {
    refuses: 'days before the end',
    rule: 'spec.renewBefore',
    says: RENEW_SYNTAX,
    bad: spec({ renewBefore: '1d' }),
    good: spec({ renewBefore: '20m' }),
    schemaToo: true,
  },
  {
    refuses: 'a renewal in the last moment',
    rule: 'spec.renewBefore',
    says: 'must be at least 5s, or no time is left to try again',
    bad: spec({ renewBefore: '4s' }),
    good: spec({ renewBefore: '5s' }),
  },
  {
    refuses: 'both ways to say when',
    rule: 'spec',
    says: "renewBefore and renewBeforePercentage can't both be set",
    bad: spec({ renewBefore: '8h', renewBeforePercentage: 30 }),
    good: spec({ renewBeforePercentage: 30 }),
  },
  {
    refuses: 'a renewal at the start',
    rule: 'spec',
    says: 'renewBefore (60m) must be shorter than duration (1h)',
    bad: spec({ duration: '1h', renewBefore: '60m' }),
    good: spec({ duration: '1h', renewBefore: '59m59s' }),
  },
  {
    refuses: 'a renewal before the default life',
    rule: 'spec',
    says: 'renewBefore (24h) must be shorter than duration (24h)',
    bad: spec({ renewBefore: '24h' }),
    good: spec({ renewBefore: '23h' }),
  },
];

const names: Short[] = [
  {
    refuses: 'a DNS name in capitals',
    rule: 'spec.dnsNames[]',
    says: 'a DNS name must be lower-case',
    bad: spec({ dnsNames: ['Client.example.com'] }),
    good: spec({ dnsNames: ['client.example.com'] }),
    schemaToo: true,
  },
  ...['a.*.example.com', 'a*.example.com', '*', '*.*.example.com', '**.example.com'].map(
    (name): Short => ({
      refuses: `the wildcard ${name}`,
      rule: 'spec.dnsNames[]',
      says: WILDCARD,
      bad: spec({ dnsNames: [name] }),
      good: spec({ dnsNames: ['*.example.com'] }),
      schemaToo: true,
    }),
  ),
  {
    refuses: 'a URI without a scheme',
    rule: 'spec.uris[]',
    says: 'a URI must begin with a scheme, as in spiffe://example.com/client',
    bad: spec({ uris: ['//example.com/client'] }),
    good: spec({ uris: ['urn:example:client', 'https://example.com/a%20b?c#d'] }),
    schemaToo: true,
  },
  ...[
    'spiffe://Example.com/client',
    'spiffe://example.com:8443/client',
    'spiffe://example.com/client?x',
    'spiffe://example.com/a//b',
    'spiffe://example.com/../b',
    'spiffe://example.com/.',
    'spiffe://example.com/client/',
    'SPIFFE://example.com/client',
  ].map(
    (id): Short => ({
      refuses: `the SPIFFE ID ${id}`,
      rule: 'spec.uris[]',
      says: SPIFFE,
      bad: spec({ uris: [id] }),
      good: spec({ uris: ['spiffe://example.com/ns/a_b/sa/Client-1.2/...'] }),
    }),
  ),
  ...['256.1.1.1', '192.0.2.07', '1.2.3', '::ffff:192.0.2.7'].map(
    (address): Short => ({
      refuses: `the address ${address}`,
      rule: 'spec.ipAddresses[]',
      says: 'must be an IPv4 or IPv6 address, without prefix length, zone or leading zeros',
      bad: spec({ ipAddresses: [address] }),
      good: spec({ ipAddresses: ['192.0.2.7', '2001:db8::7', '2001:DB8:0:0::8'] }),
    }),
  ),
  {
    refuses: 'a prefix',
    rule: 'spec.ipAddresses[]',
    says: 'must be an IPv4 or IPv6 address, without prefix length, zone or leading zeros',
    bad: spec({ ipAddresses: ['192.0.2.0/24'] }),
    good: spec({ ipAddresses: ['192.0.2.0'] }),
    schemaToo: true,
  },
  {
    refuses: 'a name of 64 characters',
    rule: '',
    says: 'the name of a ClientCertificate can have at most 63 characters, since it becomes a label value',
    bad: { metadata: { name: 'n'.repeat(64) } },
    good: { metadata: { name: 'n'.repeat(63) } },
  },
];

const usages: Short[] = [
  {
    refuses: 'usages without client auth',
    rule: 'spec.usages',
    says: "must contain 'client auth'; without it no server accepts the certificate from a client",
    bad: spec({ usages: ['digital signature', 'server auth'] }),
    good: spec({ usages: ['client auth'] }),
  },
  ...['key encipherment', 'data encipherment'].map(
    (usage): Short => ({
      refuses: `${usage} with an ECDSA key`,
      rule: 'spec',
      says: ENCIPHERMENT,
      bad: spec({ usages: ['client auth', usage] }),
      good: spec({ usages: ['client auth', usage], privateKey: { algorithm: 'RSA' } }),
    }),
  ),
];

const template: Short[] = ['labels', 'annotations'].flatMap((field): Short[] => {
  const rule = `spec.secretTemplate.${field}`;
  const withKey = (key: string) => spec({ secretTemplate: { [field]: { [key]: 'x' } } });
  const syntax = `a key must be a Kubernetes ${field.slice(0, -1)} key, as in team or example.com/team`;
  const reserved = [
    'certwheel.io/adopt',
    'x.certwheel.io/y',
    'cert-manager.io/certificate-name',
    'acme.cert-manager.io/x',
    'kubernetes.io/service-account.name',
  ];
  return [
    ...reserved.map(
      (key): Short => ({
        refuses: `the ${field} key ${key}`,
        rule,
        says: RESERVED,
        bad: withKey(key),
        good: withKey('mycertwheel.io/x'),
      }),
    ),
    ...['', '-team', 'Example.com/team', 'a/b/c', 'a b', 'n'.repeat(64)].map(
      (key): Short => ({
        refuses: `the ${field} key '${key}'`,
        rule,
        says: syntax,
        bad: withKey(key),
        good: withKey('kubernetes.io/Team_1.x'),
      }),
    ),
  ];
});

export const CLIENT_CERTIFICATE_ROWS: Row[] = [
  ...identity,
  ...sans,
  ...times,
  ...names,
  ...usages,
  ...template,
  ...KEY_RULES.map(
    ({ key, refuses, says, good }): Short => ({
      refuses,
      rule: 'spec.privateKey',
      says,
      bad: spec({ privateKey: key }),
      good: spec({ privateKey: good }),
    }),
  ),
  {
    refuses: 'PKCS1 for an Ed25519 key',
    rule: 'spec.privateKey',
    says: 'there is no PKCS1 encoding of an Ed25519 key; use PKCS8',
    bad: spec({ privateKey: { algorithm: 'Ed25519', encoding: 'PKCS1' } }),
    good: spec({ privateKey: { algorithm: 'ECDSA', encoding: 'PKCS1' } }),
  },
].map((row) => ({ ...row, kind: 'ClientCertificate' }));
