import type { ClientCertificateSpec, Subject } from '../../../src/api/generated/types.ts';

/** The names in the spec of a ClientCertificate. */
export type IdentitySpec = Pick<
  ClientCertificateSpec,
  'commonName' | 'subject' | 'dnsNames' | 'uris' | 'emailAddresses' | 'ipAddresses'
>;

export interface NamedIdentity {
  readonly name: string;
  readonly spec: IdentitySpec;
}

const COMMON_NAMES: Readonly<Record<string, string>> = {
  'a common name': 'payments',
  'a common name of one letter': 'a',
  'a common name of 64 letters': 'c'.repeat(64),
  'a common name of 64 characters outside the BMP': '🔑'.repeat(64),
  'a common name in many scripts': 'Jürgen Ωmega 日本 עברית العربية',
  'a common name of Latin-1 letters': 'Ångström Ñandú',
  'a common name with all that RFC 4514 escapes': 'a,b+c"d\\e<f>g;h=i#j',
  'a common name that begins with a number sign': '#payments',
  'a common name with two blanks inside': 'a  b',
  'a common name that is an address': '192.0.2.1',
  'a common name that is a SPIFFE ID': 'spiffe://example.com/ns/shop/sa/payments',
};

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'one organization': { organizations: ['Example & Söhne'] },
  'several organizations': { organizations: ['one', 'two', 'three'] },
  'an organization twice': { organizations: ['one', 'one'] },
  'an organization of 64 letters': { organizations: ['o'.repeat(64)] },
  'organizations that Kubernetes reads as groups': { organizations: ['system:nodes'] },
  'one organizational unit': { organizationalUnits: ['Payments'] },
  'several organizational units': { organizationalUnits: ['zulu', 'alpha', 'u'.repeat(64)] },
  'one country': { countries: ['DE'] },
  'several countries': { countries: ['DE', 'FR'] },
  'one province': { provinces: ['Nordrhein-Westfalen'] },
  'several provinces': { provinces: ['Île-de-France', 'p'.repeat(128)] },
  'one locality': { localities: ['Köln'] },
  'several localities': { localities: ['東京', 'l'.repeat(128)] },
  'one street address': { streetAddresses: ['1 Main Street, Room 2'] },
  'several street addresses': { streetAddresses: ['Straße 1', 's'.repeat(128)] },
  'one postal code': { postalCodes: ['12345'] },
  'several postal codes': { postalCodes: ['EC1A 1BB', '0'.repeat(40)] },
  'a serial number': { serialNumber: '42' },
  'a serial number of 64 characters': { serialNumber: "A'()+,-./:=? 0".repeat(5).slice(0, 64) },
  'all fields': {
    organizations: ['Example', 'Éxample'],
    organizationalUnits: ['one', 'two'],
    countries: ['DE', 'US'],
    provinces: ['Berlin', 'Hessen'],
    localities: ['Berlin', 'Kassel'],
    streetAddresses: ['1 Main Street', '2 Main Street'],
    postalCodes: ['12345', '54321'],
    serialNumber: '0042',
  },
};

const NAMES: Readonly<Record<string, IdentitySpec>> = {
  'a DNS name': { dnsNames: ['payments.shop.svc.cluster.local'] },
  'a DNS name of one label': { dnsNames: ['payments'] },
  'a wildcard': { dnsNames: ['*.shop.example.com'] },
  'an internationalized DNS name': { dnsNames: ['xn--mnchen-3ya.example.com', 'xn--fiqs8s.xn--fiqs8s'] },
  'a DNS name with the longest label': { dnsNames: [`${'l'.repeat(63)}.example.com`] },
  'the longest DNS name': { dnsNames: [`${'abcdefg.'.repeat(31)}local`] },
  'a DNS name of digits': { dnsNames: ['0.1.example.com'] },
  'fifty DNS names': { dnsNames: Array.from({ length: 50 }, (_, at) => `n${at}.example.com`) },
  'a SPIFFE ID': { uris: ['spiffe://example.com/ns/shop/sa/payments'] },
  'a SPIFFE ID of a trust domain of one label': { uris: ['spiffe://acme/payments'] },
  'a SPIFFE ID without a path': { uris: ['spiffe://example.com'] },
  'a URI with everything': { uris: ['https://user@example.com:8443/a/b;c=d?e=f&g=%20#h'] },
  'a URI with an IPv4 host': { uris: ['https://192.0.2.1/'] },
  'a URI with an IPv6 host': { uris: ['https://[2001:db8::1]:8443/'] },
  'a URN': { uris: ['urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'] },
  'several URIs': { uris: ['spiffe://example.com/a', 'https://example.com/b', 'ldap://example.com/cn=a,o=b'] },
  'a mail address': { emailAddresses: ['client@example.com'] },
  'a mail address with unusual characters': { emailAddresses: ["first.last+tag!#$%&'*/=?^_`{|}~-@mail.example.com"] },
  'a mail address with an internationalized host': { emailAddresses: ['a@xn--mnchen-3ya.example.com'] },
  'several mail addresses': { emailAddresses: ['a@example.com', 'b@example.org'] },
  'an IPv4 address': { ipAddresses: ['192.0.2.7'] },
  'an IPv6 address': { ipAddresses: ['2001:db8::7'] },
  'unusual addresses': { ipAddresses: ['0.0.0.0', '255.255.255.255', '::', '::1', 'fe80::1'] },
  'names of all kinds': {
    dnsNames: ['client.example.com', '*.example.com'],
    uris: ['spiffe://example.com/ns/team/sa/client'],
    emailAddresses: ['client@example.com'],
    ipAddresses: ['192.0.2.7', '2001:db8::7'],
  },
};

/** Each field alone, and each kind of name with a common name and without any subject. */
export const IDENTITIES: readonly NamedIdentity[] = [
  ...Object.entries(COMMON_NAMES).map(([name, commonName]) => ({ name, spec: { commonName } })),
  ...Object.entries(SUBJECTS).map(([name, subject]) => ({ name, spec: { commonName: 'client', subject } })),
  ...Object.entries(NAMES).flatMap(([name, names]) => [
    { name: `a common name and ${name}`, spec: { commonName: 'client', ...names } },
    { name: `no subject and ${name}`, spec: names },
  ]),
];
