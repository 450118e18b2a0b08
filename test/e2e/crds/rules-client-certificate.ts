/** What the CEL rules of ClientCertificate refuse. */

import { type Row, spec } from './rows.ts';
import { CSR_RULES } from './rules-csr.ts';
import { NAME_ROWS } from './rules-names.ts';
import { OUTPUT_RULES } from './rules-outputs.ts';
import { KEY_RULES, KEY_SIZE } from './rules-private-key.ts';
import { CERTIFICATE_TEXT_ROWS } from './rules-text.ts';

type Short = Omit<Row, 'kind'>;

const LIFE =
  'must be a duration such as 24h, 90m or 1h30m, from 1m to 876000h (100 years); there is no unit for days (7 days are 168h)';
const RENEWAL =
  'must be a duration such as 8h, 20m or 1h30m, from 5s (less leaves no time to try again) to 876000h (100 years); there is no unit for days (7 days are 168h)';
const KEY_USAGES =
  "key encipherment and data encipherment need an RSA key, and key agreement an ECDSA key: leave them out, or change privateKey.algorithm (TLS 1.3 doesn't use them)";
const USAGES =
  "must contain 'client auth', and 'digital signature' beside other key usages; without them no server accepts the certificate from a client";
const RESERVED = 'keys of certwheel.io, cert-manager.io and kubernetes.io/service-account. are reserved';

const reserved: Short[] = [
  'ca-ca-v1',
  'platform-clusterca-v12',
  'ca-ca-ledger',
  'ca-clusterca-ledger',
  'ca-ca-sources',
  'ca-ca-fallback',
].map((secretName) => ({
  refuses: `the Secret ${secretName}`,
  rule: 'spec.secretName',
  says: 'names that end in -ca or -clusterca and -v<number>, -ledger, -sources or -fallback are reserved for what Certwheel keeps of authorities',
  bad: spec({ secretName }),
  good: spec({ secretName: secretName.replace(/(\d+|ledger|sources|fallback)$/, '0') }),
}));

const times: Short[] = [
  {
    refuses: 'days',
    rule: 'spec.duration',
    says: LIFE,
    bad: spec({ duration: '7d' }),
    good: spec({ duration: '168h' }),
    schemaToo: true,
  },
  {
    refuses: 'a negative duration',
    rule: 'spec.duration',
    says: LIFE,
    bad: spec({ duration: '-24h' }),
    good: spec({ duration: '1h30m' }),
    schemaToo: true,
  },
  {
    refuses: 'a bare number',
    rule: 'spec.duration',
    says: LIFE,
    bad: spec({ duration: '24' }),
    good: spec({ duration: '1.5h' }),
    schemaToo: true,
  },
  {
    refuses: 'a life below a minute',
    rule: 'spec.duration',
    says: LIFE,
    bad: spec({ duration: '59.9s' }),
    good: spec({ duration: '60s' }),
  },
  {
    refuses: 'days before the end',
    rule: 'spec.renewBefore',
    says: RENEWAL,
    bad: spec({ renewBefore: '1d' }),
    good: spec({ renewBefore: '20m' }),
    schemaToo: true,
  },
  {
    refuses: 'a renewal in the last moment',
    rule: 'spec.renewBefore',
    says: RENEWAL,
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

const ENDLESS = [
  '876000h0.1s',
  '87649415h',
  `${'9'.repeat(31)}h`,
  `${'9'.repeat(31)}s`,
  '999999h999999h999999h999999h',
];
const tooLong: Short[] = ENDLESS.flatMap((endless) =>
  Object.entries({ duration: LIFE, renewBefore: RENEWAL }).map(([field, says]) => ({
    refuses: `${endless} as ${field}`,
    rule: `spec.${field}`,
    says,
    bad: spec({ [field]: endless }),
    good: spec({ duration: '876000h', renewBefore: '875999h59m59.9s' }),
  })),
);

const usages: Short[] = [
  {
    refuses: 'usages without client auth',
    rule: 'spec.usages',
    says: USAGES,
    bad: spec({ usages: ['digital signature', 'server auth'] }),
    good: spec({ usages: ['client auth'] }),
  },
  ...['key encipherment', 'data encipherment'].map(
    (usage): Short => ({
      refuses: `${usage} with an ECDSA key`,
      rule: 'spec',
      says: KEY_USAGES,
      bad: spec({ usages: ['client auth', 'digital signature', usage] }),
      good: spec({ usages: ['client auth', 'digital signature', usage], privateKey: { algorithm: 'RSA' } }),
    }),
  ),
  ...['RSA', 'Ed25519'].map(
    (algorithm): Short => ({
      refuses: `key agreement with an ${algorithm} key`,
      rule: 'spec',
      says: KEY_USAGES,
      bad: spec({ usages: ['client auth', 'digital signature', 'key agreement'], privateKey: { algorithm } }),
      good: spec({ usages: ['client auth', 'digital signature', 'key agreement'] }),
    }),
  ),
  ...['content commitment', 'key agreement'].map(
    (usage): Short => ({
      refuses: `${usage} without digital signature`,
      rule: 'spec.usages',
      says: USAGES,
      bad: spec({ usages: ['client auth', usage] }),
      good: spec({ usages: ['client auth', 'digital signature', usage] }),
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
    ...['', '-team', 'Example.com/team', 'a/b/c', 'a b', 'n'.repeat(64), 'a..b/c', '.a/b', 'a./b', 'a.-b/c', '/a'].map(
      (key): Short => ({
        refuses: `the ${field} key '${key}'`,
        rule,
        says: syntax,
        bad: withKey(key),
        good: withKey('kubernetes.io/Team_1.x'),
      }),
    ),
    {
      refuses: `a ${field} key with a prefix of 254 characters`,
      rule,
      says: syntax,
      bad: withKey(`${'p'.repeat(254)}/a`),
      good: withKey(`${'p'.repeat(253)}/${'n'.repeat(63)}`),
    },
  ];
});

/** Kubernetes lets an object have 256 KiB of annotations, and counts bytes. */
const annotationsOf = (length: number) =>
  spec({
    secretTemplate: {
      annotations: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key-${index}`, '€'.repeat(length)])),
    },
  });
const size: Short = {
  refuses: 'annotations that no Secret can hold',
  rule: 'spec.secretTemplate.annotations',
  says: 'the annotations can have at most 163840 bytes together, keys included',
  bad: annotationsOf(2800),
  good: annotationsOf(2700),
};

export const CLIENT_CERTIFICATE_ROWS: Row[] = [
  ...NAME_ROWS,
  ...reserved,
  ...times,
  ...tooLong,
  ...usages,
  ...template,
  size,
  ...CERTIFICATE_TEXT_ROWS,
  ...OUTPUT_RULES,
  ...CSR_RULES,
  ...KEY_RULES.map(
    ({ key, refuses, good }): Short => ({
      refuses,
      rule: 'spec.privateKey',
      says: KEY_SIZE,
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
