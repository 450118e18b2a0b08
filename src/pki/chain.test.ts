import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, hoursFromNow, NOW, root, serial, signIntermediate } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import {
  ALL,
  ASKED,
  accepts,
  type Case,
  ca,
  EXPECTED,
  key,
  lower,
  prove,
  rejects,
  stranger,
  upper,
} from '../../test/unit/proven-answer.ts';
import { parseCertificate } from './certificate.ts';
import { type CarriedField, proveIssued } from './chain.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, usageExtensions } from './extensions.ts';
import { generateKey, publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { NO_NAMES } from './san.ts';

test('exactly what was asked for is right', async () => {
  await accepts({});
  await accepts({ signer: lower, others: [lower, upper] });
  await accepts({ signer: lower, others: [upper, ca, lower, stranger] });
  await accepts({ signer: lower, others: [lower], anchors: [stranger, upper] });
  await accepts({ expected: { names: { ...ASKED.names, dnsNames: ['A.example'], ipAddresses: ['2001:DB8:0::0:1'] } } });
  await accepts({ expected: { usages: ['signing', 'client auth'] } });
});

test('an empty answer is wrong', () => {
  assert.match(
    proveIssued({ chain: [], anchors: [ca.certificate], expected: EXPECTED, carries: ALL })?.problem ?? '',
    'no certificate',
  );
});

test('another public key is wrong', async () => {
  await rejects({ answer: { key: await generateKey({ algorithm: 'ECDSA', size: 256 }) } }, 'another public key');
});

test('names that differ are wrong on the fields that the authority carries', async () => {
  const { names, subject } = ASKED;
  await rejects(
    { answer: { subject: { ...subject, commonName: 'other' } } },
    'commonName holds "other" in place of "client"',
  );
  await rejects(
    { answer: { subject: { ...subject, organizations: ['team', 'system:masters'] } } },
    'organizations holds "team", "system:masters"',
  );
  await rejects({ answer: { subject: { commonName: 'client' } } }, 'organizations holds nothing in place of "team"');
  await rejects({ answer: { subject: { ...subject, countries: ['DE'] } } }, 'countries holds "DE" in place of nothing');
  await rejects(
    { answer: { names: { ...names, dnsNames: ['a.example', 'b.example'] } } },
    'dnsNames holds "a.example", "b.example"',
  );
  await rejects({ answer: { names: { ...names, dnsNames: [] } } }, 'dnsNames holds nothing');
  await rejects({ answer: { names: { ...names, uris: ['spiffe://td.example/b'] } } }, 'uris holds');
  await rejects({ answer: { names: { ...names, ipAddresses: ['192.0.2.1'] } } }, 'ipAddresses holds');
  await rejects(
    { answer: { names: { ...names, emailAddresses: ['a@b.example'] } } },
    'emailAddresses holds "a@b.example" in place of nothing',
  );
});

test('what the authority cannot carry may be missing, but no alternative name may be added', async () => {
  const { names } = ASKED;
  const carries: readonly CarriedField[] = ['dnsNames'];
  await accepts({ answer: { subject: { organizations: ['template'] } }, carries });
  await accepts({ answer: { names: { ...names, uris: [] } }, carries });
  await rejects({ answer: { names: { ...names, uris: ['spiffe://td.example/b'] } }, carries }, 'uris holds');
  await rejects({ answer: { names: { ...names, emailAddresses: ['a@b.example'] } }, carries }, 'emailAddresses holds');
  await rejects({ answer: { names: { ...names, dnsNames: [] } }, carries }, 'dnsNames holds nothing');
});

test('attributes and names of foreign kinds are wrong', async () => {
  const content = {
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(1),
    serialNumber: serial(),
    signingKey: ca.key,
  };
  const base = { ...content, issuerDer: ca.certificate.subjectDer, publicKeyDer: publicKeyDer(key) };
  const usages = [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(ASKED.usages)];
  const check = (der: Buffer, carries: readonly CarriedField[] = ALL) =>
    proveIssued({
      chain: [parseCertificate(der)],
      anchors: [ca.certificate],
      expected: { ...EXPECTED, subject: { commonName: 'a' }, names: NO_NAMES },
      carries,
    })?.problem ?? 'accepted';
  const rdn = (hex: string) => Buffer.from(hex, 'hex');
  const twoNames = rdn('3018310a300806035504030c0161310a300806035504030c0162');
  assert.match(
    check(writeCertificate({ ...base, subjectDer: twoNames, extensions: usages })),
    '"CN=b", which was not requested',
  );
  const userId = rdn('301f310a300806035504030c01613111300f060a0992268993f22c6401010c0162');
  assert.match(check(writeCertificate({ ...base, subjectDer: userId, extensions: usages })), 'which was not requested');
  assert.is(check(writeCertificate({ ...base, subjectDer: userId, extensions: usages }), ['commonName']), 'accepted');
  const otherName = rdn('30180603551d110411300fa00d06032a0304a0060c0461626364');
  assert.match(
    check(
      writeCertificate({ ...base, subjectDer: encodeName({ commonName: 'a' }), extensions: [...usages, otherName] }),
    ),
    'holds a otherName',
  );
});

test('usages are those asked for', async () => {
  await rejects({ answer: { usages: ['digital signature'] } }, 'lacks the usage "client auth"');
  await rejects({ answer: { usages: ['digital signature', 'server auth'] } }, 'lacks the usage "client auth"');
  await rejects(
    { answer: { usages: ['digital signature', 'client auth', 'server auth'] } },
    'has the usage "server auth"',
  );
  await rejects({ answer: { usages: ['digital signature', 'client auth', 'any'] } }, 'has the usage "any"');
  await rejects(
    { answer: { usages: ['digital signature', 'key agreement', 'client auth'] } },
    'has the usage "key agreement"',
  );
  await rejects({ answer: { usages: ['key agreement', 'client auth'] } }, 'lacks the usage "digital signature"');
  await accepts({ answer: { usages: ['client auth'] } });
});

test('a CA in place of a leaf is wrong', async () => {
  const subject = { commonName: 'Lower' };
  const expected = { ...EXPECTED, subject, names: NO_NAMES, publicKeyDer: publicKeyDer(key) };
  for (const extensions of [[caBasicConstraints()], [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(['cert sign'])]]) {
    const { certificate } = await signIntermediate(ca, { commonName: 'Lower', key, extensions });
    assert.match(
      proveIssued({ chain: [certificate], anchors: [ca.certificate], expected, carries: ALL })?.problem ?? '',
      'is a CA',
    );
  }
});

test('a leaf may not outlive its issuers or the limit', async () => {
  const short = await root({ notAfter: hoursFromNow(2) });
  const lasting: Holder = { ...short, certificate: { ...short.certificate, notAfter: hoursFromNow(1000) } };
  await rejects({ signer: lasting, anchors: [short] }, 'outlives its issuer');
  await rejects({ expected: { notAfterLimit: hoursFromNow(23) } }, 'later than');
  await accepts({ expected: { notAfterLimit: hoursFromNow(24) } });
});

test('a serial number is good once', async () => {
  const serialNumber = serial();
  const answer = { serialNumber };
  const usedSerials = [serial().toString('hex'), serialNumber.toString('hex')];
  await rejects({ answer, expected: { usedSerials } }, 'has the serial number of an earlier one');
  await accepts({ answer, expected: { usedSerials: usedSerials.slice(0, 1) } });
});

test('dates count, both ends included', async () => {
  await rejects({ expected: { now: new Date(hoursFromNow(24).getTime() + 1) } }, 'has expired');
  await accepts({ expected: { now: hoursFromNow(24) } });
  await accepts({ expected: { now: hoursFromNow(-1) } });
});

test('a certificate of the near future is distinguished from a wrong one', async () => {
  const flawAt = (aheadMs: number, extra: Case = {}) =>
    prove({ answer: { notBefore: new Date(NOW.getTime() + aheadMs) }, ...extra });
  assert.is((await flawAt(60_000))?.validInMs, 60_000);
  assert.is((await flawAt(1_000))?.validInMs, 1_000);
  const far = await flawAt(61_000);
  assert.match(far?.problem ?? '', 'is not valid before');
  assert.is(far?.validInMs, undefined);
  assert.is((await flawAt(5_000, { expected: { maxAheadMs: 1_000 } }))?.validInMs, undefined);
  assert.is((await flawAt(5_000, { anchors: [stranger] }))?.validInMs, undefined);
});

test.run();
