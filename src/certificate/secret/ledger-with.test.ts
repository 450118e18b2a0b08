import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AuthorityFields,
  aCertificate,
  after,
  anAuthority,
  anObserved,
  DAY,
  NOW,
} from '../../../test/unit/builders.ts';
import { type LedgerEntry, nextLedger, readLedger } from './ledger.ts';
import { ledgerWith } from './ledger-with.ts';
import { sealWith } from './seal.ts';

const KEY = randomBytes(32);
const seal = sealWith(() => KEY);
const ISSUER = 'ab'.repeat(32);
const FOREIGN = 'cd'.repeat(32);
const resource = aCertificate().build();
const NAME = 'CertificateAuthority/ca';
const HELD = '0a';

/** An authority whose CA key another machine holds. */
const REMOTE: AuthorityFields = { generations: new Map() };
const OWN: AuthorityFields = { generations: new Map([[ISSUER, { version: 1, signs: true }]]) };
const issuedNow: LedgerEntry = {
  serialNumber: '0b',
  notAfter: after(DAY),
  issuerFingerprint: ISSUER,
  issuedAt: NOW,
  sealedFor: NAME,
};

interface Case {
  readonly ledger?: string;
  readonly authority?: AuthorityFields;
  readonly held?: { readonly issuerFingerprint?: string; readonly keyEncoding?: undefined };
  readonly issued?: readonly LedgerEntry[];
  readonly by?: typeof seal;
}

/** The sealed entries of the ledger that is written next to a Secret that holds the certificate with serial number 0a. */
function sealedIn({ ledger = '', authority = OWN, held = {}, issued = [], by = seal }: Case): readonly LedgerEntry[] {
  const seen = anObserved(resource)
    .withSecret({ certificate: { issuerFingerprint: ISSUER, ...held }, memory: { ledger } })
    .build();
  const text = ledgerWith(seen, anAuthority(authority), issued, NOW, by);
  const { entries } = readLedger(text, { seal, namespace: resource.namespace });
  assert.ok(
    entries.some(({ serialNumber }) => serialNumber === HELD),
    'whatever it is, it is listed',
  );
  return entries.filter(({ sealedFor }) => sealedFor === NAME);
}

const END = after(resource.spec.durationMs);
const entry = (more: Partial<LedgerEntry> = {}) =>
  nextLedger('', [{ serialNumber: HELD, notAfter: END, issuerFingerprint: ISSUER, ...more }], NOW);
const sealedBefore = nextLedger(
  '',
  [
    {
      serialNumber: HELD,
      notAfter: END,
      issuerFingerprint: ISSUER,
      issuedAt: NOW,
      externalId: 'order/7',
      sealedFor: NAME,
    },
  ],
  NOW,
  { seal, namespace: resource.namespace },
);

const SEALED: Readonly<Record<string, Case>> = {
  'of a CA generation of the authority': {},
  'that an entry of a former version lists': { ledger: entry() },
  'of the CA that has just signed, where another machine holds its key': { authority: REMOTE, issued: [issuedNow] },
  'of a CA below the root that the authority states': {
    authority: { ...REMOTE, intermediates: [{ fingerprintSHA256: ISSUER } as never] },
  },
  'of a CA of which a sealed entry tells': { authority: REMOTE, ledger: sealedBefore },
};

for (const [name, each] of Object.entries(SEALED))
  test(`the certificate that the Secret holds is sealed: one ${name}`, () => {
    assert.ok(sealedIn(each).some(({ serialNumber }) => serialNumber === HELD));
  });

const NOT_SEALED: Readonly<Record<string, Case>> = {
  'of a CA that only ca.crt names, which a tenant may write': { held: { issuerFingerprint: FOREIGN } },
  'of a root that the authority states, below which others sign too': { authority: REMOTE },
  'of another CA than the one that has just signed': {
    authority: REMOTE,
    held: { issuerFingerprint: FOREIGN },
    issued: [issuedNow],
  },
  'of a CA of which an entry without a seal tells': { authority: REMOTE, ledger: entry() },
  'without its private key in the Secret, as anybody may hold it': { held: { keyEncoding: undefined } },
  'that an entry without a seal calls by an id of the authority': { ledger: entry({ externalId: 'order/of/another' }) },
  'while no key is known': { by: sealWith(() => undefined) },
};

for (const [name, each] of Object.entries(NOT_SEALED))
  test(`the certificate that the Secret holds is not sealed: one ${name}`, () => {
    assert.not.ok(sealedIn(each).some(({ serialNumber }) => serialNumber === HELD));
  });

test('what was sealed before keeps what it says, and what only the certificate says is of its begin', () => {
  const [kept] = sealedIn({ ledger: sealedBefore });
  assert.equal([kept?.externalId, kept?.issuedAt], ['order/7', NOW]);
  const [proven] = sealedIn({ ledger: entry({ issuedAt: after(-DAY) }) });
  const { certificate } = anObserved(resource).withSecret().build().secret ?? {};
  assert.equal(proven?.issuedAt, certificate?.notBefore);
});

test('what a fallback issues is sealed for the fallback', () => {
  const seen = anObserved(resource)
    .withSecret({ certificate: { issuerFingerprint: FOREIGN } })
    .build();
  const fallback = 'CertificateAuthority/fallback';
  const text = ledgerWith(
    seen.with({ issuedBy: fallback }),
    anAuthority(OWN),
    [{ ...issuedNow, sealedFor: fallback }],
    NOW,
    seal,
  );
  const { entries } = readLedger(text, { seal, namespace: resource.namespace });
  assert.equal(
    entries.map(({ serialNumber, sealedFor }) => [serialNumber, sealedFor]),
    [
      ['0b', fallback],
      [HELD, undefined],
    ],
  );
});

test.run();
