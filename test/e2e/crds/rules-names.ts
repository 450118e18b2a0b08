/** What the CEL rules of ClientCertificate refuse of the names that a certificate is to have. */
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

const IDENTITY =
  'an identity is needed: set commonName or at least one of dnsNames, uris, emailAddresses, ipAddresses (a subject alone is no identity)';
const WILDCARD = 'a wildcard must be the whole leftmost label, as in *.example.com';
const URI =
  "a URI must be as RFC 3986 has it, with a scheme, as in spiffe://example.com/client, and a domain or an IPv6 address in brackets as host: no empty label in a domain, brackets nowhere else, no second '#', no character outside ASCII";
const URI_HOST = 'the host of a URI can have at most 253 characters';
const URI_ADDRESS = 'only an IPv6 address can be in brackets, without zone, as in https://[2001:db8::7]/';
const EMAIL_DOTS = "the part before the '@' can't begin or end with a dot, or hold two in a row";
const HOST_254 = `${'a'.repeat(62)}.`.repeat(4) + 'b'.repeat(2);
const SPIFFE =
  "a SPIFFE ID is spiffe://<trust domain>/<path> with a lower-case trust domain, no port, query or fragment, and no empty, '.' or '..' segment";

const identity: Short[] = [
  {
    refuses: 'nothing but a subject',
    rule: 'spec',
    says: IDENTITY,
    bad: spec({ commonName: null, subject: { organizations: ['Example'] } }),
    good: spec({ subject: { organizations: ['Example'] } }),
  },
  {
    refuses: 'lists of names that are all empty',
    rule: 'spec',
    says: IDENTITY,
    bad: spec({ commonName: null, dnsNames: [], uris: [], emailAddresses: [], ipAddresses: [] }),
    good: spec({ commonName: null, dnsNames: [], uris: [], emailAddresses: ['client@example.com'], ipAddresses: [] }),
  },
];

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
    says: URI,
    bad: spec({ uris: ['//example.com/client'] }),
    good: spec({ uris: ['urn:example:client', 'https://example.com/a%20b?c#d'] }),
    schemaToo: true,
  },
  ...[
    'spiffe://a..b/x',
    'spiffe://.example.com/x',
    'spiffe://example.com./x',
    'spiffe://-a/x',
    `spiffe://${'a'.repeat(64)}/x`,
    'http://[',
    'http://[::1',
    'http://[1.2.3.4]/',
    'http://[fe80::1%25eth0]/',
    'http://::1/',
    'http://a:b/',
    'http://a%41/',
    'http://a@b@c/',
    'http://',
    'http://:80/',
    'urn:a[1]',
    'http://a/[',
    'http://a/#b#c',
  ].map(
    (uri): Short => ({
      refuses: `the URI ${uri}`,
      rule: 'spec.uris[]',
      says: URI,
      bad: spec({ uris: [uri] }),
      good: spec({ uris: ['http://u:p@a.b-c_d:8080/x//y?z/?#/?', 'file:///etc', 'mailto:a@example.com', 'a:/b?'] }),
    }),
  ),
  {
    refuses: 'a host of 254 characters in a URI',
    rule: 'spec.uris[]',
    says: URI_HOST,
    bad: spec({ uris: [`https://user@${HOST_254}/x`] }),
    good: spec({
      uris: [`https://user@${HOST_254.slice(1)}/x`, `urn:${'a'.repeat(300)}`, `https://a/${'a'.repeat(300)}`],
    }),
  },
  ...['http://[:::]/', 'http://[fe80::1::2]:80', 'http://[::ffff:192.0.2.7]/'].map(
    (uri): Short => ({
      refuses: `the URI ${uri}`,
      rule: 'spec.uris[]',
      says: URI_ADDRESS,
      bad: spec({ uris: [uri] }),
      good: spec({ uris: ['http://u@[2001:db8::7]:80/'] }),
    }),
  ),
  ...['.a@example.com', 'a.@example.com', 'a..b@example.com'].map(
    (address): Short => ({
      refuses: `the e-mail address ${address}`,
      rule: 'spec.emailAddresses[]',
      says: EMAIL_DOTS,
      bad: spec({ emailAddresses: [address] }),
      good: spec({ emailAddresses: ['a.b@example.com'] }),
    }),
  ),
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

export const NAME_ROWS: Short[] = [...identity, ...sans, ...names];
