import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { CaPair } from '../pki/ca.ts';
import { caBasicConstraints } from '../pki/extensions.ts';
import type { Generation } from '../rotation/generation.ts';
import type { Demand } from './demand.ts';
import { type AuthorityFindings, authorityStatus } from './status.ts';

const oneRoot = await root({ commonName: 'one' });
const one = pairOf(oneRoot);
const two = pairOf(await root({ commonName: 'two' }));
const later = hoursFromNow(5);

function authority(status: AuthorityStatus = {}): CertificateAuthority {
  const metadata = { namespace: 'ns', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 3 };
  const spec = { secret: { name: 'pair' } };
  return parseCertificateAuthority('CertificateAuthority', { metadata, spec, status }) as CertificateAuthority;
}

function generation(version: number, state: Generation['state'], pair: CaPair): Generation {
  return aGeneration(version, state, pair);
}

const QUIET = { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] };
const NOTHING_WANTED: Demand = { certificates: 0, perDay: 0, costs: [], quota: undefined };

function told(findings: Partial<AuthorityFindings>, before: AuthorityStatus = {}, now = NOW): AuthorityStatus {
  const all = {
    trouble: undefined,
    refused: undefined,
    generations: [],
    signing: undefined,
    trusted: [],
    leftAside: [],
    plan: QUIET,
    certificates: new Map(),
    requests: [],
    foreign: [],
    source: 'secret',
    isElsewhere: false,
    nextProbeAt: undefined,
    demand: NOTHING_WANTED,
    ...findings,
  };
  return authorityStatus(authority(before), all, now);
}

function condition(status: AuthorityStatus, type: string) {
  const found = status.conditions?.find((each) => each.type === type);
  return found && `${found.status} ${found.reason}: ${found.message}`;
}

const first = generation(1, 'Active', one);
const verified = 'True Verified: issues from CA generation 1 (O=Certwheel, CN=one), valid until 2026-07-13T04:00:00Z';

test('an authority that signs says with which generation, and until when', () => {
  const status = told({ generations: [first], signing: first });
  assert.is(condition(status, 'Ready'), verified);
  assert.is(status.conditions?.length, 1);
  assert.is(status.observedGeneration, 3);
  assert.is(status.backend, 'secret');
  assert.is(status.activeGeneration, 1);
  assert.is(status.notAfter, '2026-07-13T04:00:00Z');
  assert.equal(status.generations, [
    {
      version: 1,
      state: 'Active',
      since: '2026-06-01T12:00:00Z',
      subject: 'O=Certwheel, CN=one',
      serialNumber: one.certificate.serialNumber,
      fingerprintSHA256: one.certificate.fingerprintSHA256,
      publicKeyPinSHA256: one.certificate.publicKeyPin,
      notBefore: '2026-06-01T11:00:00Z',
      notAfter: '2026-07-13T04:00:00Z',
      certificate: one.certificate.pem,
    },
  ]);
});

test('what people should know of an authority that can issue follows in the message of Ready', () => {
  const active = generation(1, 'Active', one);
  const status = told({ generations: [active], signing: active, warning: 'the key is extractable' });
  assert.is(condition(status, 'Ready'), `${verified}; warning: the key is extractable`);
});

test('an authority without CA keys of its own is Ready when it is reached', () => {
  const status = told({});
  assert.is(condition(status, 'Ready'), 'True Verified: reachable, credentials accepted');
  assert.not('generations' in status);
  assert.not('activeGeneration' in status);
  const other = told({ verified: 'requests may be made' });
  assert.is(condition(other, 'Ready'), 'True Verified: requests may be made');
});

test('trouble makes an authority not ready, and is reported once', () => {
  const trouble = { code: 'CASecretNotFound', message: 'there is no Secret pair' } as const;
  const status = told({ trouble, refused: trouble });
  assert.is(condition(status, 'Ready'), 'False CASecretNotFound: there is no Secret pair');
  assert.is(condition(status, 'Stalled'), undefined);
});

test('a pair that is refused leaves it ready, and says which generation stays', () => {
  const refused = { code: 'CAPairRefused', message: 'Secret pair: the key does not match' } as const;
  const status = told({ refused, generations: [first], signing: first });
  assert.is(condition(status, 'Ready'), verified);
  assert.is(
    condition(status, 'Stalled'),
    'True CAPairRefused: Secret pair: the key does not match; generation 1 stays in use',
  );
});

test('a rotation reports its step and the certificates that it waits for', () => {
  const second = generation(2, 'Prepared', two);
  const spreading = { generations: [first, second], signing: first };
  assert.is(
    condition(told(spreading), 'Rotating'),
    'True SpreadingTrust: generation 2 goes into every ca.crt before it signs',
  );
  const waitingFor = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `ns/${name}`);
  const waiting = condition(told({ ...spreading, plan: { ...QUIET, waitingFor } }), 'Rotating');
  assert.match(waiting ?? '', 'waiting for 6 certificates, such as ns/a, ns/b, ns/c, ns/d, ns/e');
  assert.not.match(waiting ?? '', 'ns/f');
});

test('a rotation is reported without a gap from the first step to the last', () => {
  const [oldOne, newOne] = [generation(1, 'Retiring', one), generation(2, 'Active', two)];
  const reissuing = 'True Reissuing: certificates of generation 1 are being re-issued';
  assert.is(condition(told({ generations: [first, newOne], signing: newOne }), 'Rotating'), reissuing);
  assert.is(condition(told({ generations: [oldOne, newOne], signing: newOne }), 'Rotating'), reissuing);
  assert.is(condition(told({ generations: [newOne], signing: newOne }), 'Rotating'), undefined);
});

test('demand and a short quota are reported together, and go together', () => {
  const costs = [{ durationMs: 3_600_000, certificates: 2, perDay: 107, example: 'ns/a' }];
  const demand: Demand = { certificates: 2, perDay: 107, costs, quota: { perDay: 100, from: 'Quota' } };
  const short = told({ demand });
  assert.match(condition(short, 'QuotaShort') ?? '', /^True OverQuota: .* 107 a day, more than the 100 a day/);
  assert.is(short.conditions?.find(({ type }) => type === 'QuotaShort')?.observedGeneration, 3);
  assert.equal(short.demand, { certificates: 2, issuancesPerDay: 107, quotaPerDay: 100, quotaFrom: 'Quota' });
  assert.match(condition(short, 'Ready') ?? '', /^True/);
  const enough = told({ demand: { ...demand, quota: { perDay: 1_000, from: 'Quota' } } }, short);
  assert.is(condition(enough, 'QuotaShort'), undefined);
  assert.is(enough.demand?.quotaPerDay, 1_000);
  const unknown = told({ demand: { ...demand, quota: undefined } }, short);
  assert.is(condition(unknown, 'QuotaShort'), undefined);
  assert.not('demand' in unknown);
});

test('a CA that strict verifiers refuse is ready, and the condition names them and what mends it', async () => {
  const plain = await signIntermediate(oneRoot, { extensions: [caBasicConstraints()] });
  const pair = pairOf(plain, oneRoot);
  const status = told({ generations: [generation(1, 'Active', pair)], signing: generation(1, 'Active', pair) });
  assert.match(condition(status, 'Ready') ?? '', /^True Verified/);
  const refused = condition(status, 'RefusedByVerifiers') ?? '';
  assert.match(refused, /^True NotStrict: CN=Test Intermediate has no key usage: Python 3\.13 and later/);
  assert.match(refused, /openssl x509/);
  assert.is(condition(told({ generations: [first], signing: first }), 'RefusedByVerifiers'), undefined);
});

test('a partial chain is ready, and the condition names the verifiers that refuse it and the root that they need', async () => {
  const below = await signIntermediate(oneRoot);
  const status = told({ isElsewhere: true, trusted: [below.certificate] });
  const refused = condition(status, 'RefusedByVerifiers') ?? '';
  assert.match(refused, /^True PartialChain: ca\.crt holds CN=Test Intermediate, which is not self-signed/);
  assert.match(refused, /X509_V_FLAG_PARTIAL_CHAIN.*the root that they need is O=Certwheel, CN=one/);
});

test('certificates that were left aside are listed, and the end is the first of the whole chain', async () => {
  const short = await root({ commonName: 'short', notAfter: hoursFromNow(10) });
  const pair = pairOf(await signIntermediate(short), short);
  const leftAside = ['CN=old (serial number 01) has expired at 2026-01-01T00:00:00.000Z'];
  const status = told({ signing: generation(1, 'Active', pair), leftAside });
  assert.equal(status.leftAside, leftAside);
  assert.is(status.notAfter, hoursFromNow(10).toISOString().replace('.000', ''));
  assert.match(condition(status, 'Ready') ?? '', `valid until ${status.notAfter}`);
  assert.not('leftAside' in told({ signing: first }));
});

test('a generation that is gone is kept as retired, with its certificate, since the moment it went', () => {
  const second = generation(2, 'Active', two);
  const before = told({ generations: [generation(1, 'Retiring', one), second], signing: second });
  const after = told({ generations: [second], signing: second }, before, later);
  const [newest, retired] = after.generations ?? [];
  assert.is(newest?.version, 2);
  assert.is(retired?.state, 'Retired');
  assert.is(retired?.since, '2026-06-01T17:00:00Z');
  assert.is(retired?.certificate, one.certificate.pem);
  const again = told({ generations: [second], signing: second }, after, hoursFromNow(9));
  assert.is(again.generations?.[1]?.since, '2026-06-01T17:00:00Z');
});

test('the twenty newest generations are kept', () => {
  const signing = generation(30, 'Active', one);
  const known = Array.from({ length: 25 }, (_, index) => ({ version: index + 1, state: 'Retired' as const }));
  const versions = told({ generations: [signing], signing }, { generations: known }).generations?.map(
    ({ version }) => version,
  );
  assert.is(versions?.length, 20);
  assert.is(versions?.[0], 30);
  assert.is(versions?.at(-1), 7);
});

test('status values that are too long for the schema are left out or cut', () => {
  const huge = { ...one.certificate, pem: `${'x'.repeat(20_000)}`, subjectText: `CN=${'y'.repeat(9_000)}` };
  const signing = generation(1, 'Active', { ...one, certificate: huge });
  const [described] = told({ generations: [signing], signing }).generations ?? [];
  assert.not('certificate' in (described ?? {}));
  assert.is(described?.subject?.length, 4_096);
});

test('equal findings give an equal status, whatever the time', () => {
  const findings = { generations: [first], signing: first };
  const before = told(findings);
  assert.equal(told(findings, before, later), before);
});

test('conditions of other writers stay, beside ours', () => {
  const foreign = {
    type: 'example.com/Seen',
    status: 'True' as const,
    reason: 'Seen',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const { conditions } = told({}, { conditions: [foreign] });
  assert.equal(
    conditions?.find(({ type }) => type === foreign.type),
    foreign,
  );
});

test('while an authority is in trouble, its status says when it is asked next', () => {
  const trouble = { code: 'AuthorityUnreachable', message: 'the connection was refused' } as const;
  const down = told({ trouble, nextProbeAt: new Date('2026-06-01T12:00:07.400Z') });
  assert.is(down.nextProbeTime, '2026-06-01T12:00:08Z');
  assert.is(told({}, down).nextProbeTime, undefined);
});

test('an authority whose CA key is elsewhere says when the last CA ends that is trusted', () => {
  const ends = { ...one.certificate, notAfter: new Date('2026-08-01T00:00:00Z') };
  const lasts = { ...one.certificate, notAfter: new Date('2030-01-01T00:00:00Z') };
  const isElsewhere = true;
  assert.is(told({ isElsewhere, trusted: [ends, lasts, ends] }).notAfter, '2030-01-01T00:00:00Z');
  assert.not('notAfter' in told({ isElsewhere, trusted: [] }));
  assert.not('notAfter' in told({ generations: [first], trusted: [lasts] }), 'none of its own signs');
  const leaving = generation(2, 'Retiring', two);
  const trusted = [ends, two.anchor];
  const both = told({ isElsewhere, generations: [leaving], trusted });
  assert.is(both.notAfter, told({ isElsewhere, trusted: [ends] }).notAfter, 'what leaves signs nothing');
});

test.run();
