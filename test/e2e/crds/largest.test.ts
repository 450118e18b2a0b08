/** The largest objects that the bounds allow are accepted: the CEL rules stay within what the API server lets them cost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../support/lazily.ts';
import { check } from './ajv.ts';
import { collection, DRY_RUN, type Json, startWithCrds } from './api.ts';
import { LARGEST_SOLVERS } from './rules-acme-solvers.ts';
import { type Kind, sample } from './samples.ts';

const shared = lazily(startWithCrds);
test.after(shared.stop);

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Exactly so many characters, and different for each index. */
function text(length: number, index: number): string {
  return `${index}`.padStart(length, 'n');
}

function host(length: number, index: number): string {
  const labels = 'a.'.repeat(length);
  return `${labels.slice(0, length - 6)}${text(6, index)}`.replace(/\.(?=\.)/, 'a');
}

const keys = (prefix: string, value: string) =>
  Object.fromEntries(many(32, (index) => [`${'p'.repeat(100)}.${'q'.repeat(100)}/${prefix}${text(60, index)}`, value]));

const subject = {
  ...Object.fromEntries(
    Object.entries({
      organizations: 64,
      organizationalUnits: 64,
      provinces: 128,
      localities: 128,
      streetAddresses: 128,
      postalCodes: 40,
    }).map(([field, length]) => [field, many(16, (index) => text(length, index))]),
  ),
  countries: many(16, () => 'DE'),
  serialNumber: 's'.repeat(64),
};

const selector = {
  matchLabels: keys('m', 'v'.repeat(63)),
  matchExpressions: many(32, (index) => ({
    key: text(63, index),
    operator: 'In',
    values: many(64, (value) => text(63, value)),
  })),
};

const usages = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'client auth',
  'server auth',
  'email protection',
];

const largest: [Kind, Json][] = [
  [
    'ClientCertificate',
    {
      authorityRef: { name: 'a'.repeat(50) },
      secretName: 's'.repeat(253),
      commonName: 'ü'.repeat(64),
      subject,
      dnsNames: many(50, (index) => host(253, index)),
      uris: many(16, (index) => `spiffe://example.com/${text(2027, index)}`),
      emailAddresses: many(50, (index) => `${'l'.repeat(64)}@${host(189, index)}`),
      ipAddresses: many(50, (index) => `2001:db8:1111:2222:3333:4444:5555:${1000 + index}`),
      duration: `${'0'.repeat(26)}87600h`,
      renewBefore: `${'0'.repeat(26)}87599h`,
      privateKey: { algorithm: 'RSA', size: 4096 },
      usages: usages.filter((usage) => usage !== 'key agreement'),
      secretTemplate: { labels: keys('l', 'v'.repeat(63)), annotations: keys('a', 'v'.repeat(4096)) },
    },
  ],
  [
    'ClusterCertificateAuthority',
    {
      selfManaged: {
        commonName: 'c'.repeat(56),
        subject,
        duration: '876000h',
        privateKey: { algorithm: 'ECDSA', size: 521 },
      },
      limits: { maxDuration: '1m', keyAlgorithms: ['ECDSA', 'Ed25519', 'RSA'], usages },
      rateLimit: { requests: 100_000, per: 'Day', burst: 100_000 },
      quota: { issuances: 1_000_000_000, per: 'Month' },
      allowedNamespaces: { selector },
    },
  ],
  [
    'ClusterCertificateAuthority',
    {
      issuancePolicy: {
        // With six such selectors an object is as large as etcd takes.
        rules: many(32, (index) => ({
          name: text(63, index),
          namespaces: index < 6 ? { selector } : { names: many(256, (name) => text(63, name)) },
          subject: { organizations: many(64, (organization) => text(64, organization)) },
        })),
      },
      secret: { name: 's'.repeat(253) },
    },
  ],
  [
    'ClusterCertificateAuthority',
    {
      issuancePolicy: {
        rules: many(1_000, (index) => ({
          name: text(63, index),
          namespaces: { names: [text(63, index)] },
          commonNames: many(4, (name) => text(64, name)),
          uris: [`spiffe://example.com/ns/{namespace}/sa/${text(200, index)}`],
        })),
      },
      secret: { name: 's'.repeat(253) },
    },
  ],
  [
    'ClusterCertificateAuthority',
    {
      trust: {
        targets: many(32, (index) => ({
          name: text(63, index),
          configMap: { name: text(253, index) },
          namespaces: index < 6 ? { selector } : { names: many(256, (name) => text(63, name)) },
        })),
      },
      secret: { name: 's'.repeat(253) },
    },
  ],
  [
    'ClusterCertificateAuthority',
    {
      trust: {
        verifiers: many(16, (index) => ({
          name: text(63, index),
          address: `${text(63, index)}.${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(60)}:65535`,
          protocol: {
            http: {
              path: `/${text(511, index)}`,
              acceptStatus: many(32, (status) => 200 + status),
              rejectStatus: many(32, (status) => 300 + status),
            },
          },
        })),
      },
      secret: { name: 's'.repeat(253) },
    },
  ],
  ['CertificateAuthority', { acme: LARGEST_SOLVERS }],
  [
    'ClusterCertificateAuthority',
    { secret: { name: 's'.repeat(253) }, allowedNamespaces: { names: many(256, (index) => text(63, index)) } },
  ],
];

for (const [kind, spec] of largest) {
  test(`${kind} accepts the largest ${Object.keys(spec)[0]}`, async () => {
    const api = await shared.get();
    const object = sample(kind, spec);
    const answer = await api.send('POST', `${collection(kind)}${DRY_RUN}`, object);
    assert.is(answer.status, 201, JSON.stringify(answer.body).slice(0, 2000));
    assert.is(check(kind, object).problem, undefined);
  });
}

test.run();
